package offline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// refused opens f and expects error 6155 with a text that contains all of want,
// and a closed f.
func refused(t *testing.T, f *os.File, want ...string) {
	t.Helper()
	_, err := Driver{}.OpenFile(t.Context(), own(f))
	if err == nil {
		t.Fatal("was opened")
	}
	mustCode(t, err)
	for _, text := range append(want, f.Name()) {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error %q does not say %q", err, text)
		}
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file was left open (%v)", err)
	}
}

func openWith(t *testing.T, path string, flags int) *os.File {
	t.Helper()
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), path)
}

func TestRefusedFiles(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	good := save(t, le().pcapHead(0xa1b2c3d4, 2, 4, 100, 1).Bytes())
	const remedy = "save the capture to disk"
	refused(t, openWith(t, dir, unix.O_RDONLY), "not a regular file", remedy)
	refused(t, openWith(t, fifo, unix.O_RDONLY), "not a regular file", remedy)
	refused(t, openWith(t, "/dev/zero", unix.O_RDONLY), "not a regular file", remedy)
	refused(t, openWith(t, good, unix.O_WRONLY), "not open for reading", "read-only")
	refused(t, openWith(t, good, unix.O_PATH), "not open for reading", "read-only")
}

func TestRefusedHeads(t *testing.T) {
	ok := le().pcapHead(0xa1b2c3d4, 2, 4, 100, 1).Bytes()
	for name, c := range map[string]struct {
		head string
		want string
	}{
		"empty":           {"", "0 bytes are too few"},
		"short":           {"abc", "3 bytes are too few"},
		"text":            {"#!/bin/sh\necho hello, world\n", "looks like text"},
		"zeros":           {strings.Repeat("\x00", 64), "no known capture format"},
		"zstd":            {"\x28\xb5\x2f\xfd" + strings.Repeat("\x00", 64), "zstd"},
		"xz":              {"\xfd7zXZ\x00" + strings.Repeat("\x00", 64), "xz"},
		"snoop":           {"snoop\x00\x00\x00\x00\x00\x00\x02", "snoop"},
		"half a head":     {string(ok[:20]), "truncated: 20 of 24"},
		"version":         {le().pcapHead(0xa1b2c3d4, 2, 5, 100, 1).String(), "version 2.5: expected 2.0 to 2.4"},
		"reserved":        {le().pcapHead(0xa1b2c3d4, 2, 4, 100, 0x10001).String(), "reserved bits"},
		"pcapng version":  {le().block(blockSection, []byte("M<+\x1a\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")).String(), "version 2.0: expected 1.0"},
		"pcapng magic":    {le().block(blockSection, make([]byte, 16)).String(), "byte-order magic"},
		"pcapng cut":      {string(le().section().Bytes()[:20]), "offset 0 is truncated"},
		"interface cut":   {string(le().section().iface(1, 0).Bytes()[:40]), "offset 28 is truncated"},
		"packet first":    {le().section().simple(4, frame(4, 0)).String(), "offset 28: a packet comes before"},
		"gzip head":       {"\x1f\x8b\x08", "gzip"},
		"gzip text":       {string(zip(t, []byte("no capture, only words here"))), "looks like text"},
		"gzip twice":      {string(zip(t, zip(t, ok))), "compressed twice"},
		"gzip cut":        {string(zip(t, ok)[:16]), "gzip"},
		"nothing in gzip": {string(zip(t, nil)), "0 bytes are too few"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(save(t, []byte(c.head)))
			if err != nil {
				t.Fatal(err)
			}
			refused(t, f, c.want)
		})
	}
}

// TestEndlessHead checks that a file of blocks without interface delays
// OpenFile neither beyond a limit nor beyond its context.
func TestEndlessHead(t *testing.T) {
	w := le().section()
	for range 20 {
		w.block(5, make([]byte, 1<<20))
	}
	path := save(t, w.Bytes())
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, f, "no interface description in the first")

	f, err = os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Driver{}).OpenFile(ctx, own(f)); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenFile after cancel: %v", err)
	}
}

// mixed is the Info of a file that may have packets of these link types.
func mixed(types ...uint16) drivers.Info {
	return drivers.Info{DevType: "1.3", LinkType: types[0], LinkTypes: types, Snap: drivers.MaxSnap, Unordered: true}
}

func TestInfo(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want drivers.Info
	}{
		"pcap":        {le().pcapHead(0xa1b2c3d4, 2, 4, 96, 101).Bytes(), drivers.Info{DevType: "1.3", LinkType: 12, Snap: 96, Unordered: true}},
		"no snap":     {be().pcapHead(0xa1b23c4d, 2, 4, 0, 276).Bytes(), drivers.Info{DevType: "1.3", LinkType: 276, Snap: 262144, Unordered: true}},
		"huge snap":   {be().pcapHead(0xa1b23c4d, 2, 4, 1<<30, 1).Bytes(), drivers.Info{DevType: "1.3", LinkType: 1, Snap: 262144, Unordered: true}},
		"fcs":         {le().pcapHead(0xa1b2c3d4, 2, 4, 96, 0x24000001).Bytes(), drivers.Info{DevType: "1.3", LinkType: 1, Snap: 96, Unordered: true}},
		"pcapng":      {le().section().iface(113, 96).Bytes(), mixed(113, 1)},
		"no iface":    {be().section().Bytes(), mixed(1)},
		"late iface":  {le().section().block(5, nil).section().iface(9, 0).Bytes(), mixed(9, 1)},
		"three":       {le().section().iface(113, 96).iface(1, 96).block(5, nil).iface(113, 0).iface(127, 96).Bytes(), mixed(113, 1, 127)},
		"sections":    {le().section().iface(113, 96).section().iface(127, 96).Bytes(), mixed(113, 1)},
		"gzip pcapng": {zip(t, le().section().Bytes(), le().iface(113, 96).Bytes()), mixed(113, 1)},
	} {
		pkts, got, err := readBytes(t, c.file)
		if err != nil || len(pkts) != 0 || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %d packets, error %v; want %+v", name, got, len(pkts), err, c.want)
		}
	}
}
