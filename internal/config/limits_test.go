package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"gomapi/internal/account"
)

func TestLimits(t *testing.T) {
	cfg, problems := load(t, `trusted_peers=mapicommd, 4711,,
[driver]
device=eth0
driver=mapinicdrv
[limits]
memory=1G
user_memory = 300M
connections=100
user_connections=200
user_buffers=0
buffers=12K
descriptors=-5
offline_files=9999999999999999999
written_files=7x
user_written_files=3
colour=red
`)
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Text)
	}
	want := []string{
		"trusted_peers has an empty name: it is ignored",
		"trusted_peers has an empty name: it is ignored",
		"user_buffers=0 is not a number from 1 on: the default is used",
		"buffers=12K is not a number from 1 on: the default is used",
		"descriptors=-5 is not a number from 1 on: the default is used",
		"offline_files=9999999999999999999 is not a number from 1 on: the default is used",
		"written_files=7x is not a number from 1 on: the default is used",
		"unknown key colour in [limits]: it is ignored",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("problems:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"mapicommd", "4711"}, cfg.TrustedPeers); diff != "" {
		t.Errorf("trusted peers:\n%s", diff)
	}
	l := cfg.ApplyTo(account.Default(8<<30, 1000))
	for k, want := range map[account.Kind]account.Limit{
		account.Memory:       {User: 300 << 20, All: 1 << 30},
		account.Connections:  {User: 100, All: 100}, // a user cannot have more than all
		account.Descriptors:  {User: 500, All: 1000},
		account.WrittenFiles: {User: 3, All: 512},
	} {
		if l[k] != want {
			t.Errorf("%v: %+v, want %+v", k, l[k], want)
		}
	}
}

// TestLimitsOfAll: what a user may have follows what all may have, also if that is more than by
// default.
func TestLimitsOfAll(t *testing.T) {
	cfg, _ := load(t, `[limits]
memory=64G
connections=8192
written_files=100
buffers=2
`)
	l := cfg.ApplyTo(account.Default(8<<30, 1000))
	for k, want := range map[account.Kind]account.Limit{
		account.Memory:       {User: 32 << 30, All: 64 << 30},
		account.Connections:  {User: 2048, All: 8192},
		account.WrittenFiles: {User: 25, All: 100},
		account.Buffers:      {User: 1, All: 2},
	} {
		if l[k] != want {
			t.Errorf("%v: %+v, want %+v", k, l[k], want)
		}
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "64K": 64 << 10, "2M": 2 << 20, "3G": 3 << 30, "1T": 1 << 40, "8388607T": 8388607 << 40,
		"8388608T": 0, "K": 0, "": 0, "1k": 0, "1.5G": 0, "-1M": 0, "1 M": 0, "1GB": 0,
	} {
		got, ok := amount(text, true)
		if ok != (want > 0) || ok && got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, ok, want)
		}
	}
}
