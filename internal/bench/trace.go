package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/google/gopacket/pcapgo"

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

// sampleFile returns a file with the first packets of the capture file.
func sampleFile(dir string, packets int) (string, error) {
	path := filepath.Join(dir, "sample.pcap")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	if _, err := tracegen.Write(f, packets, 1); err != nil {
		f.Close()
		return "", err
	}
	return path, f.Close()
}

// eachFrame calls f for the first packets of a capture file of ours, until it returns
// false. The bytes are valid during the call.
func eachFrame(path string, packets int, f func(frame []byte) bool) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return err
	}
	for range packets {
		frame, _, err := r.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !f(frame) {
			return nil
		}
	}
	return nil
}
