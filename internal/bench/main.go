// Bench measures what the daemon costs for each packet, beside what a user
// would run instead, in one run and on the same file. docs/bench.md describes
// the file and the method.
//
//	go run ./internal/bench [-rounds N] [-o FILE]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"gomapi/internal/tracegen"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	rounds := flag.Int("rounds", 9, "how often each measurement is made; the median counts")
	bin := flag.String("mapid", "bin/mapid", "the daemon to measure")
	dir := flag.String("dir", "bench", "folder for the capture file, which stays there")
	out := flag.String("o", "", "write the report to this file as well")
	flag.Parse()
	report, err := run(context.Background(), *rounds, *bin, *dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report)
	if *out != "" {
		if err := os.WriteFile(*out, []byte(report), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// run makes the file, measures and returns the report.
func run(ctx context.Context, rounds int, bin, dir string) (string, error) {
	path, err := trafficFile(dir)
	if err != nil {
		return "", err
	}
	d, err := startDaemon(ctx, bin, dir)
	if err != nil {
		return "", err
	}
	defer d.stop()
	rows, err := measure(ctx, d, path, rounds)
	if err != nil {
		return "", err
	}
	return format(rows, rounds)
}

// trafficFile returns the capture file, which it generates when it is not there
// or not whole, and has all of it in the page cache.
func trafficFile(dir string) (string, error) {
	path := filepath.Join(dir, "traffic.pcap")
	whole := path + ".whole"
	if _, err := os.Stat(whole); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		if err := generate(path); err != nil {
			return "", err
		}
		if err := os.WriteFile(whole, nil, 0o644); err != nil {
			return "", err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return path, err
}

func generate(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := tracegen.Write(f, tracegen.BenchPackets, 1); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
