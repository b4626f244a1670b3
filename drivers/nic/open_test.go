package nic

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/testnet"
)

// refused checks that an error has number 1026 and contains these names.
func refused(t *testing.T, err error, names ...string) {
	t.Helper()
	if mapierr.CodeOf(err, 0) != mapierr.PcapOpen {
		t.Errorf("error %v (%d), want one with 1026", err, mapierr.CodeOf(err, 0))
		return
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("error %q does not mention %q", err, name)
		}
	}
}

func TestBadParameters(t *testing.T) {
	for _, c := range []struct{ key, value, says string }{
		{"colour", "blue", "unknown parameter"},
		{"ring_mb", "0", "from 1 to 8192"},
		{"ring_mb", "8193", "from 1 to 8192"},
		{"ring_mb", "many", "MiB"},
		{"ring_mb", "", "MiB"},
		{"ring_mb", "99999999999999999999", "MiB"},
		{"block_kb", "8", "from 16 to 65536"},
		{"block_kb", "17", "multiple of"},
		{"retire_ms", "0", "from 1 to 1000"},
		{"snap", "63", "from 64 to 262144"},
		{"snap", "262145", "from 64 to 262144"},
		{"promisc", "yes", "0 or 1"},
		{"direction", "left", "both or in or out"},
		{"vlan_tags", "keep", "restore or strip"},
		{"latency", "high", "efficient or low"},
		{"tstamp", "card", "hw or hw-force or sw"},
		{"netns", "a/b", "absolute path"},
		{"netns", "..", "absolute path"},
	} {
		config := drivers.Config{Device: "eth7", Params: map[string]string{c.key: c.value}}
		_, err := Driver{}.Open(context.Background(), config)
		refused(t, err, "eth7", c.key, c.value, c.says)
	}
	config := drivers.Config{Device: "eth7", Params: map[string]string{"ring_mb": "1", "block_kb": "2048"}}
	_, err := Driver{}.Open(context.Background(), config)
	refused(t, err, "eth7", "block_kb=2048", "ring_mb=1")
}

func TestUnknownInterface(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		for _, name := range []string{"nosuch0", "", "a-name-that-is-too-long-for-linux", strings.Repeat("long", 50), "../etc"} {
			_, err := Driver{}.Open(context.Background(), drivers.Config{Device: name})
			refused(t, err, "interface "+name+":", "no interface of this name")
			refused(t, Driver{}.Find(drivers.Config{Device: name}), "interface "+name+":", "no interface of this name")
		}
		for _, name := range []string{testnet.B, anyName} {
			if err := (Driver{}).Find(drivers.Config{Device: name}); err != nil {
				t.Errorf("%s exists: %v", name, err)
			}
		}
	})
}

// The thread that drops its capability ends with the goroutine, which stays
// locked to it.
func TestOpenUnprivileged(t *testing.T) {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := dropNetRaw(); err != nil {
			t.Errorf("give CAP_NET_RAW up: %v", err)
		}
		_, err := Driver{}.Open(context.Background(), drivers.Config{Device: "lo"})
		failed <- err
		failed <- Driver{}.Find(drivers.Config{Device: "lo"})
	}()
	for range 2 {
		err := <-failed
		refused(t, err, "interface lo", "CAP_NET_RAW", "run mapid as root", "setcap cap_net_raw+ep")
		if !errors.Is(err, os.ErrPermission) {
			t.Errorf("%v is not a permission error", err)
		}
	}
}

// dropNetRaw removes CAP_NET_RAW from the calling thread (capabilities(7)).
func dropNetRaw() error {
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // capabilities 0 to 31, and the higher ones
	if err := unix.Capget(header, &sets[0]); err != nil {
		return err
	}
	sets[0].Effective &^= 1 << unix.CAP_NET_RAW
	return unix.Capset(header, &sets[0])
}

// TestPromiscuous checks that promisc=0 leaves the mode of the interface
// unchanged. With promisc=1 the kernel's count is one higher until Close.
func TestPromiscuous(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		for param, want := range map[string]int{"1": 1, "0": 0} {
			dev := mustOpen(t, testnet.B, map[string]string{"promisc": param})
			if got := promiscuity(t); got != want {
				t.Errorf("promisc=%s: promiscuity %d while open, want %d", param, got, want)
			}
			dev.Close()
			if got := promiscuity(t); got != 0 {
				t.Errorf("promisc=%s: promiscuity %d after Close", param, got)
			}
		}
	})
}

func promiscuity(t *testing.T) int {
	t.Helper()
	link, err := netlink.LinkByName(testnet.B)
	if err != nil {
		t.Fatal(err)
	}
	return link.Attrs().Promisc
}
