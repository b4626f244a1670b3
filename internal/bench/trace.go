package main

import (
	"io"
	"os"
	"path/filepath"

	"gomapi/internal/tracegen"
)

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
