package main

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
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

// TestStats looks at the books of a daemon that another program uses.
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

// TestUnbalancedBooks are what no daemon should ever show.
func TestUnbalancedBooks(t *testing.T) {
	books := &mapi.Books{
		In: 10, Out: []mapi.Counter{{Name: "passed", Value: 7}, {Name: "lost: \x1b[31m", Value: 1}},
		Notes: []mapi.Counter{{Name: "none", Value: 0}, {Name: "some", Value: 3}}, Moved: 1,
	}
	var text, object bytes.Buffer
	for out, json := range map[*bytes.Buffer]bool{&text: false, &object: true} {
		l := ledger{tool: &tool{stdout: out, json: json}}
		l.enter("here", books)
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
