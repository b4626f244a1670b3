package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomapi/internal/testnet"
)

// TestLive runs every part on an interface for a moment: each compares its
// counts itself.
func TestLive(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {}) // skips without root
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "mapid")
	if out, err := exec.Command("go", "build", "-o", bin, "gomapi/cmd/mapid").CombinedOutput(); err != nil {
		t.Fatalf("build mapid: %v\n%s", err, out)
	}
	b := &bench{
		bin: bin, dir: dir, longRounds: 1, sizes: []int{64}, burst: 5 * time.Millisecond, stamped: 50, silence: 10 * time.Millisecond,
		idleFlows: crowd{2, 3}, waiting: 3, crowds: []crowd{{1, 10}, {5, 2}},
	}
	sections, err := b.live(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	report := strings.Join(sections, "\n")
	for _, want := range []string{"| 64 | 100 % |", "| 64 | flood |", "| low |", "| efficient |", "| the clients |", "| 5 | 2 |"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report has no row %q", want)
		}
	}
	if t.Failed() {
		t.Log(report)
	}
}
