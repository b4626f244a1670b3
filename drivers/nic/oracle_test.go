package nic

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket/pcapgo"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// TestSameAsTcpdump compares frames with those that tcpdump captures on the
// same interface.
func TestSameAsTcpdump(t *testing.T) {
	path := needTcpdump(t)
	for _, params := range latencies {
		t.Run(params["latency"], func(t *testing.T) { sameAsTcpdump(t, path, params) })
	}
}

func sameAsTcpdump(t *testing.T, path string, params map[string]string) {
	testnet.Run(t, func(ns *testnet.NS) {
		ns.SetMTU(9000)
		var frames [][]byte
		for _, size := range []int{testnet.MinTCP, 577, 1514, 9000} {
			for _, tags := range taggedFrames {
				n := uint64(len(frames))
				frames = append(frames, testnet.Tagged(testnet.UDP(n, size), tags...), testnet.Tagged(testnet.TCP(n, size), tags...))
			}
		}
		file := filepath.Join(t.TempDir(), "seen.pcap")
		tcpdump := exec.Command(path, "-n", "-i", testnet.B, "-w", file, "-U", "-Z", "root", "-c", strconv.Itoa(len(frames)))
		listening(t, tcpdump)
		r := newRecorder()
		run := start(t, mustOpen(t, testnet.B, params), r)
		send(t, ns.Sender(testnet.A), frames...)
		got := r.await(t, len(frames))
		run.stop(t)
		if err := tcpdump.Wait(); err != nil {
			t.Fatalf("tcpdump: %v", err)
		}
		sameFrames(t, got, readPcap(t, file))
		sameFrames(t, got, frames)
	})
}

// listening starts tcpdump in the namespace of this thread, and waits until it
// captures.
func listening(t *testing.T, tcpdump *exec.Cmd) {
	t.Helper()
	says, err := tcpdump.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tcpdump.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcpdump.Process.Kill() }) // does nothing if tcpdump has ended
	var said []string
	for lines := bufio.NewScanner(says); lines.Scan(); {
		if strings.Contains(lines.Text(), "listening on") {
			return
		}
		said = append(said, lines.Text())
	}
	t.Fatalf("tcpdump does not capture: %s", strings.Join(said, "; "))
}

// TestReplayRealCaptures replays real captures over the pair. Frames arrive as
// they are in the file; number and length are those that other tools report.
func TestReplayRealCaptures(t *testing.T) {
	for file, facts := range replayable(t) {
		t.Run(file, func(t *testing.T) {
			frames := readPcap(t, filepath.Join(testdata.Dir(t), file))
			testnet.Run(t, func(ns *testnet.NS) {
				ns.SetMTU(65535)
				r := newRecorder()
				run := start(t, mustOpen(t, testnet.B, nil), r)
				s := ns.Sender(testnet.A)
				for at := 0; at < len(frames); {
					next := min(at+200, len(frames)) // no more than the kernel certainly queues
					send(t, s, frames[at:next]...)
					at = next
					r.await(t, at)
				}
				run.stop(t)
				got := r.packets()
				sameFrames(t, got, frames)
				bytes := 0
				for _, p := range got {
					bytes += int(p.Wire)
				}
				if strconv.Itoa(len(got)) != facts["packets"] || strconv.Itoa(bytes) != facts["wire_bytes"] {
					t.Errorf("%d packets, %d bytes; capinfos says %s and %s", len(got), bytes, facts["packets"], facts["wire_bytes"])
				}
			})
		})
	}
}

// replayable returns the pcap files of whole Ethernet frames, with the facts
// that other tools report.
func replayable(t *testing.T) map[string]map[string]string {
	t.Helper()
	files := make(map[string]map[string]string)
	for _, row := range testdata.Expected(t) {
		if row.Kind == "file" || row.Kind == "total" {
			if files[row.File] == nil {
				files[row.File] = make(map[string]string)
			}
			files[row.File][row.Key] = row.Value
		}
	}
	for name, f := range files {
		shortest, _ := strconv.Atoi(f["wire_min"])
		pcap := strings.HasSuffix(name, ".pcap") || strings.HasSuffix(name, ".pcap.gz")
		if !pcap || f["status"] != "ok" || f["encapsulation"] != "ether" || f["truncated_packets"] != "0" || shortest < 14 {
			delete(files, name)
		}
	}
	if len(files) < 10 {
		t.Errorf("only %d captures can be replayed", len(files))
	}
	return files
}

// readPcap returns the frames of a pcap file, plain or gzip.
func readPcap(t *testing.T, file string) [][]byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	pcap, err := pcapgo.NewReader(in)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var frames [][]byte
	for {
		data, _, err := pcap.ReadPacketData()
		if err == io.EOF {
			return frames
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		frames = append(frames, data)
	}
}
