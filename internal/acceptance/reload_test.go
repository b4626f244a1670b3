package acceptance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// configured is a daemon with a configuration file that tests change.
type configured struct {
	*mapid
	file string
	log  string
}

// driver is a [driver] section for an interface, with additional keys.
func driver(device string, keys ...string) string {
	return "[driver]\ndevice=" + device + "\ndriver=mapinicdrv.so\n" + strings.Join(keys, "\n") + "\n"
}

// startWith runs a daemon with a configuration of sections.
func startWith(t *testing.T, sections ...string) *configured {
	t.Helper()
	dir := t.TempDir()
	c := &configured{file: filepath.Join(dir, "mapi.conf"), log: filepath.Join(dir, "log")}
	c.write(t, sections...)
	c.mapid = start(t, "--config", c.file)
	return c
}

func (c *configured) write(t *testing.T, sections ...string) {
	t.Helper()
	text := "logfile=" + c.log + "\n" + strings.Join(sections, "")
	if err := os.WriteFile(c.file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reload sends SIGHUP and waits until the log has text once more.
func (c *configured) reload(text string) {
	c.t.Helper()
	before := c.logged(text)
	c.cmd.Process.Signal(syscall.SIGHUP)
	testenv.Until(c.t, fmt.Sprintf("the log says %q", text), func() bool { return c.logged(text) > before })
}

func (c *configured) logged(text string) int {
	all, _ := os.ReadFile(c.log + ".info")
	return strings.Count(string(all), text)
}

const takenUp = "the configuration was taken up"

// ahead is the maximum number of frames in transit: fewer than the kernel
// queues for an interface, and than the writer of a file queues.
const ahead = 500

// traffic sends numbered frames from a to b until stop is called, which returns
// their number. It waits for their arrival, so that none is lost.
func traffic(t *testing.T, ns *testnet.NS, size int, arrived func() uint64) (stop func() uint64) {
	t.Helper()
	sender := ns.Sender(testnet.A)
	var ending atomic.Bool
	var sent uint64
	done := ns.Go(func() {
		for ; !ending.Load(); sent++ {
			if err := sender.Send(testnet.UDP(sent, size)); err != nil {
				t.Error(err)
				return
			}
			for sent >= arrived()+ahead && !ending.Load() {
				time.Sleep(time.Millisecond) // counters change without an event
			}
		}
	})
	return func() uint64 {
		ending.Store(true)
		<-done
		return sent
	}
}

// sofar is the number of packets counted so far.
func (n *counted) sofar() uint64 {
	packets, _ := n.packets.Uint64()
	return packets
}

// TestReload changes one of two devices while packets pass on both: flows of
// the other device miss no packet, flows of the changed device end with an
// error that says why.
//
//	test ── a ═══ b       a: parameters change, b: gets an alias, lo: is new
func TestReload(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startWith(t, driver(testnet.B), driver(testnet.A))
		c, ctx := d.client(), t.Context()
		steady, err := count(ctx, c, testnet.B, "udp")
		if err != nil {
			t.Fatal(err)
		}
		ending, err := count(ctx, c, testnet.A, "udp")
		if err != nil {
			t.Fatal(err)
		}
		reader, packets := buffered(t, c, testnet.A)
		stop := traffic(t, ns, 100, steady.sofar)
		atLeast(t, "packets before", ending.packets, 1000)

		d.write(t, driver(testnet.A, "snap=64"), driver(testnet.B, "alias=uplink", "link_speed=10000"), driver("lo"))
		d.reload(takenUp)
		err = ending.packets.Flow().Wait(ctx)
		wantCode(t, "flow on the changed device", err, mapi.ErrNoDriver)
		if !strings.Contains(fmt.Sprint(err), "configuration was changed") {
			t.Errorf("the flow ends with %v", err)
		}
		if n, err := ending.packets.Uint64(); err != nil || n < 1000 {
			t.Errorf("result of the finished flow: %d, %v", n, err)
		}
		for _, err := range packets.Packets(ctx) { // up to the end of the flow
			if err != nil {
				t.Fatal(err)
			}
		}
		if s := reader.Status(); s != mapi.FlowFinished {
			t.Errorf("flow of the reader is %v, want finished", s)
		}

		_, again := buffered(t, c, testnet.A)
		if p, err := again.Next(ctx); err != nil || len(p.Data) != 64 || p.Wlen != 100 {
			t.Errorf("packet of the changed device: %+v, %v, want 64 of 100 bytes", p, err)
		}
		if f, err := c.CreateFlow(ctx, "uplink"); err != nil || f.Device() != testnet.B {
			t.Errorf("flow by the new alias: %v, %v", f, err)
		}
		sent := stop()
		reaches(t, "packets of the unchanged device", steady.packets, sent)
		st, err := c.Stats(ctx, testnet.B)
		if err != nil || st.Recv != sent || st.Drop != 0 {
			t.Errorf("unchanged device: %+v, %v, want %d received since the start", st, err, sent)
		}
		wantDevices(t, c, "1 b uplink 10000", "2 a No alias 0", "3 lo No alias 0")
	})
}

// buffered creates a connected flow with a packet buffer.
func buffered(t *testing.T, c *mapi.Client, device string) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := f.Apply(t.Context(), "TO_BUFFER")
	if err == nil {
		err = f.Connect(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return f, fn
}

// atLeast waits until a counter has at least this value.
func atLeast(t *testing.T, what string, fn *mapi.Function, want uint64) {
	t.Helper()
	testenv.Until(t, fmt.Sprintf("%s: at least %d", what, want), func() bool {
		n, err := fn.Uint64()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return n >= want
	})
}

func wantDevices(t *testing.T, c *mapi.Client, want ...string) {
	t.Helper()
	all, err := c.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range all {
		got = append(got, fmt.Sprint(d.ID, " ", d.Device, " ", d.Alias, " ", d.LinkSpeed))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("devices are %q, want %q", got, want)
	}
}

// TestReloadOfBrokenFiles checks that an unusable file changes nothing, and
// that a mistake affects only its section.
func TestReloadOfBrokenFiles(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startWith(t, driver(testnet.B), driver(testnet.A))
		c := d.client()
		steady, err := count(t.Context(), c, testnet.B, "udp")
		if err != nil {
			t.Fatal(err)
		}
		sender, sent := ns.Sender(testnet.A), uint64(0)
		lives := func(what string) {
			t.Helper()
			sent++
			if err := sender.Send(testnet.UDP(sent, 100)); err != nil {
				t.Fatal(err)
			}
			reaches(t, what, steady.packets, sent)
			if s := steady.packets.Flow().Status(); s != mapi.FlowActive {
				t.Errorf("%s: flow is %v", what, s)
			}
		}
		const refused = "the configuration is unchanged: "
		for what, spoil := range map[string]func() error{
			"no file":          func() error { return os.Remove(d.file) },
			"a folder":         func() error { return os.Mkdir(d.file, 0o755) },
			"nothing to serve": func() error { return os.WriteFile(d.file, []byte("libs=stdflib\n[driver]\n"), 0o644) },
			"no text":          func() error { return os.WriteFile(d.file, []byte("\x00\x01[dri\xff"), 0o644) },
			"enormous":         func() error { return os.WriteFile(d.file, make([]byte, 2<<20), 0o644) },
		} {
			os.RemoveAll(d.file)
			if err := spoil(); err != nil && what != "no file" {
				t.Fatal(err)
			}
			d.reload(refused)
			lives(what)
			os.RemoveAll(d.file)
		}
		if n := d.logged(d.file + ":2: section [driver] without the key device"); n != 1 {
			t.Errorf("the log names file and line %d times", n)
		}
		wantDevices(t, c, "1 b No alias 0", "2 a No alias 0")

		d.write(t, driver(testnet.A, "devgroup=0815x"), driver(testnet.B), "[format]\nformat=MFF_PCAP\n", driver("lo", "devgroup=7"))
		d.reload(takenUp)
		lives("one section is broken")
		wantDevices(t, c, "1 b No alias 0")
		for _, text := range []string{d.file + ":5: devgroup=0815x", "the change of the list of [format] sections takes effect"} {
			if d.logged(text) != 1 {
				t.Errorf("the log does not say %q", text)
			}
		}
	})
}

// TestReloadStorm changes devices ten times in a row, and often concurrently,
// while programs start and end. Flows on the unchanged device count every
// packet.
func TestReloadStorm(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startWith(t, driver(testnet.B), driver(testnet.A))
		c := d.client()
		steady, err := count(t.Context(), c, testnet.B, "udp")
		if err != nil {
			t.Fatal(err)
		}
		before := sockets(t, d.mapid)
		stop := traffic(t, ns, 60, steady.sofar)
		ctx, cancel := context.WithCancel(t.Context())
		var programs sync.WaitGroup
		var flows atomic.Int64
		for range 3 {
			programs.Go(func() {
				for ctx.Err() == nil {
					comeAndGo(t, d.socket)
					flows.Add(1)
				}
			})
		}
		for i := range 20 {
			d.write(t, driver(testnet.B), driver(testnet.A, fmt.Sprintf("snap=%d", 64+i)))
			for range 10 {
				d.cmd.Process.Signal(syscall.SIGHUP)
			}
			d.reload(takenUp)
		}
		d.write(t, driver(testnet.B))
		d.reload("devices no longer served: a")
		cancel()
		programs.Wait()
		reaches(t, "packets of the unchanged device", steady.packets, stop())
		testenv.Until(t, "mapid has the sockets of before", func() bool { return sockets(t, d.mapid) == before })
		t.Logf("%d programs started and ended", flows.Load())
	})
}

// sockets counts the sockets of the daemon, for clients and interfaces. Other
// descriptors belong to filter compilers, whose number may grow.
func sockets(t *testing.T, d *mapid) (n int) {
	t.Helper()
	dir := filepath.Join("/proc", fmt.Sprint(d.cmd.Process.Pid), "fd")
	fds, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink(filepath.Join(dir, fd.Name())); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// comeAndGo is a program with flows on both devices. One of these may be
// missing or disappear at any time.
func comeAndGo(t *testing.T, socket string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := &mapi.Client{Socket: socket}
	defer c.Close()
	for _, device := range []string{testnet.A, testnet.B} {
		f, err := count(ctx, c, device, "udp")
		if err != nil {
			if device == testnet.B {
				t.Errorf("flow on the unchanged device: %v", err)
			}
			wantCode(t, "flow on the changed device", err, mapi.ErrNoDriver)
			continue
		}
		if _, err := f.packets.Uint64(); err != nil {
			t.Error(err)
		}
		if err := f.packets.Flow().Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestStopWhileReloading stops a daemon during a reload.
func TestStopWhileReloading(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		for range 5 {
			d := startWith(t, driver(testnet.B), driver(testnet.A))
			if _, err := count(t.Context(), d.client(), testnet.A, ""); err != nil {
				t.Fatal(err)
			}
			d.write(t, driver(testnet.B))
			d.cmd.Process.Signal(syscall.SIGHUP)
			stops(t, d.mapid, syscall.SIGTERM)
		}
	})
}
