package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

const liveBooks = `device b: 1000 packets
            1000  delivered
               0  no flow
               0  lost: ring full
               0  lost: unreadable
               0  waiting
flow 1073741825 of user 0 on b: 500 packets
             500  passed
               0  refused
               0  from before connect
flow 1073741825 of user 0 on b, function 1 BPF_FILTER: asked about 1000, passed 500
flow 1073741825 of user 0 on b, function 2 PKT_COUNTER: 500 packets
             500  passed
               0  refused
flow 1073741825 of user 0 on b, function 3 BYTE_COUNTER: 500 packets
             500  passed
               0  refused
the books of all 4 stages balance; 0 packets lost
`

// TestStats shows the books of a daemon that another program uses.
func TestStats(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dir := t.TempDir()
		mapid, err := startDaemon(dir, "--builtin")
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("MAPI_SOCKET", filepath.Join(dir, "mapid.sock"))
		l := count(t, "-i", "50ms", "udp")
		l.next()
		send(t, ns, 1000)
		l.until(500)
		out, err := exec.Command(filepath.Join(bin, "mapi"), "stats").Output()
		if err != nil || string(out) != liveBooks {
			t.Errorf("%v:\n%s", err, out)
		}
		l.signal(unix.SIGINT)
		l.ends(exitInterrupted)
		_ = mapid.Process.Signal(unix.SIGTERM)
		if err := mapid.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestUnbalancedBooks prints books that no daemon should ever have.
func TestUnbalancedBooks(t *testing.T) {
	books := &mapi.Books{
		In: 10, Out: []mapi.Counter{{Name: "passed", Value: 7}, {Name: "lost: \x1b[31m", Value: 1}},
		Notes: []mapi.Counter{{Name: "none", Value: 0}, {Name: "some", Value: 3}}, Moved: 1,
	}
	var text, object bytes.Buffer
	for out, json := range map[*bytes.Buffer]bool{&text: false, &object: true} {
		l := ledger{tool: &tool{stdout: out, json: json}}
		l.enter("here", place{Device: "here"}, books)
		if err := l.close(); !errors.Is(err, errUnbalanced) {
			t.Errorf("json %v: %v", json, err)
		}
	}
	const want = `here: 10 packets, 2 UNACCOUNTED FOR
               7  passed
               1  lost: \x1b[31m
               3  (some)
the books of 1 of 1 stages do not balance; 1 packet lost
`
	if text.String() != want {
		t.Errorf("%s", &text)
	}
	if !strings.Contains(object.String(), `"moved":1,"missing":2,"balances":false}`) {
		t.Errorf("%s", &object)
	}
}

// TestStatsOfFlowsAlone shows flows whose device cannot be queried: SIGHUP
// closed the device and another flow reopened it, or the device is a file of
// another program.
func TestStatsOfFlowsAlone(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		dir := t.TempDir()
		configure := func(key string) {
			text := "[format]\nformat=MFF_PCAP\ndriver=mapinicdrv.so\n[driver]\ndevice=b\ndriver=mapinicdrv.so\n" + key
			if err := os.WriteFile(filepath.Join(dir, "mapi.conf"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		configure("snap=64\n")
		mapid, err := startDaemon(dir, "--config=mapi.conf")
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("MAPI_SOCKET", filepath.Join(dir, "mapid.sock"))
		var client mapi.Client
		old := counterOn(t, &client, "b")
		configure("snap=65\n")
		_ = mapid.Process.Signal(unix.SIGHUP)
		if err := old.Wait(t.Context()); !errors.Is(err, mapi.ErrNoDriver) {
			t.Errorf("the flow ends with %v", err)
		}
		shown := func(device, want string) {
			t.Helper()
			out, err := exec.Command(filepath.Join(bin, "mapi"), "stats", device).Output()
			var headings []string
			for l := range strings.Lines(string(out)) {
				if !strings.HasPrefix(l, " ") {
					headings = append(headings, strings.TrimSpace(l))
				}
			}
			if got := strings.Join(headings, "\n"); err != nil || got != want {
				t.Errorf("%v:\n%s\nwant:\n%s", err, got, want)
			}
		}
		const ended = "flow 1073741825 of user 0 on b (ended): 0 packets\n" +
			"flow 1073741825 of user 0 on b (ended), function 1 PKT_COUNTER: 0 packets\n"
		shown("b", ended+"the books of all 2 stages balance; 0 packets lost")
		counterOn(t, &client, "b")
		shown("b", "device b: 0 packets\n"+strings.NewReplacer("1825", "1826", "function 1", "function 2", " (ended)", "").Replace(ended)+ended+
			"the books of all 5 stages balance; 0 packets lost")
		file := fileFlow(t, &client, filepath.Join(dir, "trace.pcap"), 7)
		shown(file.Device(), "flow 1073741827 of user 0 on "+file.Device()+" (ended): 7 packets\nthe books of the one stage balance; 0 packets lost")
		client.Close()
		_ = mapid.Process.Signal(unix.SIGTERM)
		if err := mapid.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// counterOn creates a flow that counts the packets of a device.
func counterOn(t *testing.T, client *mapi.Client, device string) *mapi.Flow {
	t.Helper()
	flow, err := client.CreateFlow(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flow.Apply(t.Context(), "PKT_COUNTER"); err != nil {
		t.Fatal(err)
	}
	if err := flow.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return flow
}

// fileFlow creates a flow on a file of n packets and waits for its end.
func fileFlow(t *testing.T, client *mapi.Client, path string, n int) *mapi.Flow {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tracegen.Write(f, n, 1)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	flow, err := client.CreateOfflineFlow(t.Context(), path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(flow.Connect(t.Context()), flow.Wait(t.Context())); err != nil {
		t.Fatal(err)
	}
	return flow
}
