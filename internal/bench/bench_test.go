package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomapi/internal/testnet"
)

// TestMain serves as reader too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == readerCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

// small is a benchmark that takes moments, on a capture file of so many packets.
func small(t *testing.T, packets int) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{
		bin: filepath.Join(dir, "mapid"), dir: dir, charts: filepath.Join(dir, "performance"), packets: packets,
		rounds: 1, liveRounds: 1, churn: 50, largest: 10, stream: 30 * time.Millisecond,
	}
	if out, err := exec.Command("go", "build", "-o", b.bin, "gomapi/cmd/mapid").CombinedOutput(); err != nil {
		t.Fatalf("build mapid: %v\n%s", err, out)
	}
	return b
}

// hasRows makes a report, whose parts compare their counts themselves, and looks for rows.
func hasRows(t *testing.T, b *bench, rows ...string) {
	t.Helper()
	report, err := b.run(t.Context(), t, parts)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range rows {
		if !strings.Contains(report, want) {
			t.Errorf("the report has no row %q:\n%s", want, report)
		}
	}
}

// TestReport makes all parts, for a moment each.
func TestReport(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {}) // skips without root
	b := small(t, 6000)
	hasRows(t, b, "| PKT_COUNTER | 6000 |", "| 6000 |", "| 1 |", "| 10 |",
		"| 64 | 100 % |", "| 64 | flood |", "| low |", "| efficient |", "| the clients |", "| 10 | 10 |",
		"| 1 | mapid |", "| 1 | libpcap |", "| 10 | 100 |", "| 5 | 500 |", "| close |", "](performance/flows-live.svg)")
	svgs, err := filepath.Glob(filepath.Join(b.charts, "*.svg"))
	if err != nil || len(svgs) != 6 {
		t.Errorf("charts %v (%v), want 6", svgs, err)
	}
}

// TestSlow has a part that takes too long: the report says so, and nothing is left running.
func TestSlow(t *testing.T) {
	b := small(t, 500)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	section := b.section(ctx, t, part{name: "slow", run: func(b *bench, ctx context.Context) rows {
		b.startDaemon(ctx, "")
		b.startPrograms(ctx, []string{"60"}, "sleep") // which says nothing
		return nil
	}}, time.Second)
	if !strings.Contains(section, "Too slow: over 1 s") {
		t.Errorf("section %q", section)
	}
	if pids := treeOf(os.Getpid()); len(pids) != 1 {
		t.Errorf("processes %v are left", pids)
	}
}

// TestFailure has a part with an error: there is no report.
func TestFailure(t *testing.T) {
	b := &bench{}
	wrong := part{name: "wrong", run: func(*bench, context.Context) rows {
		parallel(20, 4, func(i int) {
			if i == 7 {
				fail("number %d", i)
			}
		})
		return nil
	}}
	err := catch(func() { b.section(t.Context(), t, wrong, time.Minute) })
	if err == nil || err.Error() != "wrong: number 7" {
		t.Errorf("error %v", err)
	}
}

func TestUnknownPart(t *testing.T) {
	if _, err := selected("file,live"); err == nil || !strings.Contains(err.Error(), `"live"`) {
		t.Errorf("error %v", err)
	}
	if parts, err := selected("file,churn"); err != nil || len(parts) != 2 || parts[1].name != "churn" {
		t.Errorf("parts %v, %v", parts, err)
	}
}
