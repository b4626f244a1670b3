package main

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
)

// TestDumpingKeepsTheOwner: tcpdump leaves /dev/null to the system.
func TestDumpingKeepsTheOwner(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		before := owner(t)
		d, err := startDumping(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.stop()
		if after := owner(t); after != before {
			t.Errorf("/dev/null belongs to user and group %v, it was %v", after, before)
			if err := os.Chown(os.DevNull, int(before[0]), int(before[1])); err != nil {
				t.Error(err)
			}
		}
	})
}

func owner(t *testing.T) [2]uint32 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(os.DevNull, &st); err != nil {
		t.Fatal(err)
	}
	return [2]uint32{st.Uid, st.Gid}
}
