package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
	"gomapi/internal/testmapid"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// TestRecords reads more records than their buffer holds in C.
func TestRecords(t *testing.T) {
	const all = 3000
	path, ipv4, size := filepath.Join(t.TempDir(), "records.pcap"), 0, 0
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		p := make([]byte, 60+i%100)
		p[14] = 0x45
		if i%4 == 0 {
			size += 4
		} else {
			p[12] = 8
			ipv4++
			size += len(p) - 14
		}
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(p), Length: len(p)}, p); err != nil {
			t.Fatal(err)
		}
	}
	d := startRecorder(t)
	p := start(t, d.command(compile(t, source(t, "records.c"), strict...), path))
	if got, want := p.line(), fmt.Sprintf("%d records, %d of IPv4, %d bytes", all, ipv4, size); got != want {
		t.Errorf("the program prints %q, want %q", got, want)
	}
	p.endsWell()
}

// startRecorder starts a daemon with SAMPLES in the namespace of the thread.
func startRecorder(t *testing.T) *daemon {
	t.Helper()
	d := &daemon{t: t, socket: filepath.Join(t.TempDir(), "s")}
	d.cmd = testmapid.Start(t, d.socket)
	t.Cleanup(d.kill)
	return d
}

// stop ends the daemon like an administrator.
func (d *daemon) stop() {
	d.t.Helper()
	if err := d.cmd.Process.Signal(unix.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("mapid ends with %v", err)
	}
}

// descriptors counts the descriptors of the daemon.
func (d *daemon) descriptors() int {
	d.t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	return len(fds)
}

// A recording is a program that reads records live.
type recording struct{ *program }

// record starts a program that is called alone or in lockstep, and waits for its flow.
func (d *daemon) record(path, how string) recording {
	d.t.Helper()
	r := recording{start(d.t, d.command(path, testnet.B, how))}
	if got := r.line(); got != "connected" {
		d.t.Fatalf("the program prints %q", got)
	}
	return r
}

// reaches waits until the program has read or lost n records, and returns how many are lost.
func (r recording) reaches(n int) int {
	r.t.Helper()
	for {
		var read, lost int
		text := r.line()
		if _, err := fmt.Sscanf(text, "%d read, %d lost", &read, &lost); err != nil || read+lost > n {
			r.t.Fatalf("the program prints %q, want up to %d records", text, n)
		}
		if read+lost == n {
			return lost
		}
	}
}

// learnsTheEnd stops the daemon. The program, which has nothing more to read, notices it.
func (r recording) learnsTheEnd(d *daemon) {
	r.t.Helper()
	d.stop()
	if got := r.line(); got != "end" {
		r.t.Errorf("the program prints %q", got)
	}
	r.endsWell()
}

// TestRecordsLive reads records as they come, until the daemon is stopped.
func TestRecordsLive(t *testing.T) {
	path := compile(t, source(t, "samples.c"), strict...)
	for _, how := range []string{"alone", "lockstep"} {
		testnet.Run(t, func(ns *testnet.NS) {
			d := startRecorder(t)
			r := d.record(path, how)
			sender := ns.Sender(testnet.A)
			for n := range 3000 {
				sendAll(t, sender, 1, testnet.UDP(uint64(n), 100))
				if n%100 < 99 { // less than the buffer holds
					continue
				}
				if lost := r.reaches(n + 1); lost > 0 {
					t.Fatalf("%s: %d records are lost", how, lost)
				}
			}
			r.learnsTheEnd(d)
		})
	}
}

// TestRecordsOfSlowProgram stops a program while more records come than its buffer holds.
func TestRecordsOfSlowProgram(t *testing.T) {
	const all = 3000
	path := compile(t, source(t, "samples.c"), strict...)
	testnet.Run(t, func(ns *testnet.NS) {
		d := startRecorder(t)
		c := &mapi.Client{Socket: d.socket}
		defer c.Close()
		count := witness(t, c)
		r := d.record(path, "alone")
		r.signal(unix.SIGSTOP)
		testenv.Until(t, "the program is stopped", func() bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
			return err == nil && strings.Contains(string(stat), ") T ")
		})
		sender := ns.Sender(testnet.A)
		for n := range uint64(all) {
			sendAll(t, sender, 1, testnet.UDP(n, 100))
		}
		testenv.Until(t, "all packets", func() bool { return count() == all })
		r.signal(unix.SIGCONT)
		if lost := r.reaches(all); lost == 0 || lost == all {
			t.Errorf("%d records of %d are lost", lost, all)
		}
		r.learnsTheEnd(d)
	})
}

func (r recording) signal(s unix.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// witness connects a flow and returns its counter of packets.
func witness(t *testing.T, c *mapi.Client) func() uint64 {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), testnet.B)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := f.Apply(t.Context(), "PKT_COUNTER")
	if err == nil {
		err = f.Connect(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() uint64 {
		n, err := fn.Uint64()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// TestRecordsOfKilledProgram kills programs while their records flow. Nothing of them remains in
// the daemon, and others go on.
func TestRecordsOfKilledProgram(t *testing.T) {
	path := compile(t, source(t, "samples.c"), strict...)
	testnet.Run(t, func(ns *testnet.NS) {
		d := startRecorder(t)
		c := &mapi.Client{Socket: d.socket}
		defer c.Close()
		count := witness(t, c)
		before := d.descriptors()
		var ending atomic.Bool
		sender := ns.Sender(testnet.A)
		sent := ns.Go(func() {
			for n := uint64(0); !ending.Load(); n++ {
				if err := sender.Send(testnet.UDP(n, 100)); err != nil {
					t.Error(err)
					return
				}
			}
		})
		defer func() {
			ending.Store(true)
			<-sent
		}()
		for range 5 {
			r := d.record(path, "alone")
			r.line() // records are read
			r.signal(unix.SIGKILL)
			r.ends()
		}
		testenv.Until(t, "mapid has the descriptors of before", func() bool { return d.descriptors() == before })
		flows, err := c.Flows(t.Context())
		if err != nil || len(flows) != 1 {
			t.Errorf("%d flows, %v, want the witness", len(flows), err)
		}
		n := count()
		testenv.Until(t, "the witness counts", func() bool { return count() > n })
	})
}
