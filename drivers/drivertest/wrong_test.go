package drivertest

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/drivers/fake"
	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
)

// A fault makes a device break the contract. It is nil where the device does not.
type fault struct {
	test string // case of the suite that must find it
	says string // part of the message
	info func(*drivers.Info)
	// pause changes what the sink returns, and hold what it is told.
	pause func(time.Time) time.Time
	hold  time.Duration
	// packet changes packet i.
	packet func(i int, p *drivers.Packet)
}

func hostClock(i *drivers.Info) { i.HostClock = true }

var faults = map[string]fault{
	"deaf": {test: "pause again", says: "not called again",
		pause: func(time.Time) time.Time { return time.Time{} }},
	"polls": {test: "pause again", says: "times before the time that it returned",
		pause: func(t time.Time) time.Time {
			if t.IsZero() {
				return t
			}
			return time.Now()
		}},
	"never sleeps": {test: "pause again", says: "although it had returned the zero time",
		pause: func(t time.Time) time.Time {
			if t.IsZero() {
				return time.Now().Add(time.Millisecond)
			}
			return t
		}},
	"another link type": {test: "packets", says: "announces 1 and [1 12]", packet: mixes,
		info: func(i *drivers.Info) { i.LinkTypes = []uint16{1, 12} }},
	"link types not announced": {test: "packets", says: "link type 12", packet: mixes},
	"goes back":                {test: "packets", says: "before", packet: goesBack},
	"promises too much": {test: "pause", says: "none before", info: hostClock,
		packet: func(_ int, p *drivers.Packet) { p.TS = pkt.FromTime(time.Now().Add(-time.Minute)) }},
}

func mixes(i int, p *drivers.Packet) { p.LinkType = []uint16{1, 12, 113}[i%3] }

func goesBack(i int, p *drivers.Packet) { p.TS = uint64(1000 - i%1000) }

// liberal announces what mixes and goesBack do.
func liberal(i *drivers.Info) { i.LinkTypes, i.Unordered = []uint16{1, 12, 113}, true }

// wrong is a device with a fault.
type wrong struct {
	drivers.Device
	fault
}

func (w wrong) Run(ctx context.Context, s drivers.Sink) error {
	return w.Device.Run(ctx, &wrongSink{Sink: s, fault: w.fault})
}

type wrongSink struct {
	drivers.Sink
	fault
}

func (w *wrongSink) Pause(lag, _ time.Duration) time.Time {
	again := w.Sink.Pause(lag, w.hold)
	if w.pause != nil {
		again = w.pause(again)
	}
	return again
}

// world is a fake device with a fault.
func (f fault) world() World {
	var d fake.Driver
	info := drivers.Info{DevType: drivers.TypeNIC, LinkType: 1, Snap: 100}
	if f.info != nil {
		f.info(&info)
	}
	s := d.Add("fake", info)
	next := 0
	return World{
		Open: func() (drivers.Device, error) {
			dev, err := d.Open(context.Background(), drivers.Config{Device: "fake"})
			return wrong{dev, f}, err
		},
		Feed: func(ctx context.Context, n int) {
			for range n {
				p := numbered(next)
				if f.packet != nil {
					f.packet(next, &p)
				}
				if ctx.Err() != nil || s.Send(p) != nil {
					return
				}
				next++
			}
		},
		Is: func(i int, p drivers.Packet) bool { return bytes.Equal(p.Link, numbered(i).Link) },
	}
}

func numbered(i int) drivers.Packet {
	link := binary.BigEndian.AppendUint64(make([]byte, 52), uint64(i))
	return drivers.Packet{TS: pkt.FromTime(time.Now()), Link: link, Wire: uint32(len(link)), LinkType: 1}
}

// wrongDevice names the fault of the device that a process of the test runs.
const wrongDevice = "DRIVERTEST_WRONG_DEVICE"

// TestWrongDevices checks that the suite finds devices that break the contract. The suite
// fails the test that runs it, so each runs in a process of its own.
func TestWrongDevices(t *testing.T) {
	if name := os.Getenv(wrongDevice); name != "" {
		patience = 5 * time.Second // the suite waits in vain for a deaf device
		Run(t, func(_ *testing.T, f func(World)) { f(faults[name].world()) })
		return
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), testenv.Patience)
			defer cancel()
			c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWrongDevices$/^"+strings.ReplaceAll(f.test, " ", "_")+"$")
			c.Env = append(os.Environ(), wrongDevice+"="+name)
			out, err := c.CombinedOutput()
			if err == nil || !strings.Contains(string(out), f.says) {
				t.Errorf("the suite ended with %v, want a failure with %q:\n%s", err, f.says, out)
			}
		})
	}
}

// TestRightDevices checks that the device is right without a fault, and that a device may do
// what it announces.
func TestRightDevices(t *testing.T) {
	for name, f := range map[string]fault{
		"in order": {info: hostClock, hold: time.Minute},
		"mixed":    {info: liberal, hold: -1, packet: func(i int, p *drivers.Packet) { mixes(i, p); goesBack(i, p) }},
	} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(_ *testing.T, in func(World)) { in(f.world()) })
		})
	}
}
