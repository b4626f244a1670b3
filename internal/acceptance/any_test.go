package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// TestTagsOnAny finds tagged packets on all interfaces: with the filters in the
// documentation and the error text, and with any filter if tags are stripped.
func TestTagsOnAny(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		config := filepath.Join(t.TempDir(), "mapi.conf")
		text := "libs=stdflib.so\n[driver]\ndevice=any\ndriver=mapinicdrv.so\nvlan_tags=strip\n"
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		whole, stripped := start(t).client(), start(t, "--config", config).client()
		counting := func(c *mapi.Client, filter string) *mapi.Function {
			t.Helper()
			n, err := count(t.Context(), c, "any", filter)
			if err != nil {
				t.Fatal(err)
			}
			return n.packets
		}
		const tag = "link[0:2] = 0x8100 and link[20:2] & 0xfff = 100"
		inTag := counting(whole, tag+" and link[22:2] = 0x800 and link[33] = 17 and link[46:2] = 5000")
		ofAnother := counting(whole, "link[0:2] = 0x8100 and link[20:2] & 0xfff = 101")
		behind := counting(stripped, "udp port 5000")

		f, err := whole.CreateFlow(t.Context(), "any")
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Apply(t.Context(), "BPF_FILTER", "vlan 100 and udp")
		wantCode(t, "vlan", err, mapi.ErrPcapBPF)
		if !strings.Contains(err.Error(), tag) || !strings.Contains(err.Error(), "vlan_tags=strip") {
			t.Errorf("%v names no remedy", err)
		}

		s := ns.Sender(testnet.A)
		for i := range uint64(5) {
			if err := s.Send(testnet.Tagged(testnet.UDP(i, 100), testnet.Tag{TPID: 0x8100, TCI: 0x2000 | 100})); err != nil {
				t.Fatal(err)
			}
		}
		// Outgoing on one end and incoming on the other.
		reaches(t, "packets of VLAN 100", inTag, 10)
		// The sending end has not stripped the tag, unlike one with hardware
		// support.
		reaches(t, "packets behind a tag that is left off", behind, 5)
		reaches(t, "packets of VLAN 101", ofAnother, 0)
	})
}
