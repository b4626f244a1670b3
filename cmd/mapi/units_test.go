package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gomapi/internal/mapierr"
	"gomapi/mapi"
)

func TestPerSecond(t *testing.T) {
	const start = 1_700_000_000_000_000
	for _, c := range []struct {
		before, now counter
		factor      uint64
		want        uint64
	}{
		{counter{0, start}, counter{1000, start + 1e6}, 1, 1000},
		{counter{0, start}, counter{1000, start + 2e6}, 8, 4000},
		{counter{500, start}, counter{1000, start + 999_999}, 1, 500},
		{counter{7, start}, counter{7, start + 1e6}, 1, 0},
		{counter{0, start}, counter{45e12, start + 3600e6}, 8, 1e11}, // 100 Gbit/s for an hour
		{counter{0, start}, counter{math.MaxUint64, start + 1}, 8, math.MaxUint64},
		{counter{0, start}, counter{9, start}, 1, 0},           // no time has passed
		{counter{0, start}, counter{9, start - 5}, 1, 0},       // the clock was set back
		{counter{10, start}, counter{9, start + 1e6}, 1, 0},    // cannot happen
		{counter{0, start}, counter{3, start + 3}, 1, 1000000}, // a packet each microsecond
	} {
		if got := c.now.perSecond(c.before, c.factor); got != c.want {
			t.Errorf("from %v to %v: %d, want %d", c.before, c.now, got, c.want)
		}
	}
}

// TestExitCode covers the errors that no script can produce.
func TestExitCode(t *testing.T) {
	open := func(text string) error {
		return &mapi.Error{Op: "create flow", Code: mapi.ErrPcapOpen, Err: errors.New(text)}
	}
	for _, c := range []struct {
		err  error
		want int
	}{
		{open("interface eth0: capture needs the capability CAP_NET_RAW"), exitRefused},
		{open("interface eth0: there is no interface of this name"), exitFailed},
		{mapierr.Wrap(mapi.ErrCommSocket, "scope", mapierr.New(mapi.ErrNoDriver, "no device")), exitFailed},
		{mapierr.Wrap(mapi.ErrCommSocket, "connection to mapid lost", io.EOF), exitNoDaemon},
		{mapierr.New(mapi.ErrCommInitSocket, "there is no mapid to start"), exitNoDaemon},
		{mapierr.Wrap(mapi.ErrCommInitSocket, "start", os.ErrPermission), exitRefused},
		{mapierr.New(mapi.ErrAuthFailed, "not for you"), exitRefused},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain":            "plain",
		`with "quotes"`:    `with "quotes"`,
		"größer\u00a0als":  "größer\u00a0als",
		"a\x1b[2Jb":        `a\x1b[2Jb`,
		"two\nlines\tcell": `two\nlines\tcell`,
		"bad\xff \"byte\"": `bad\xff "byte"`,
		"\u202eturned":     `\u202eturned`,
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("x", 100)
	text := strings.Repeat("four ", 40) + long + " end"
	got := wrap("    ", text)
	if diff := cmp.Diff(strings.Fields(text), strings.Fields(got)); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(got) {
		if len(line) > textWidth+1 && !strings.Contains(line, long) || !strings.HasPrefix(line, "    ") {
			t.Errorf("line of %d: %q", len(line), line)
		}
	}
}

func TestHead(t *testing.T) {
	var h head
	for range 10 {
		if n, err := h.Write(make([]byte, headSize/4)); n != headSize/4 || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if len(h) != headSize {
		t.Errorf("kept %d bytes, want %d", len(h), headSize)
	}
}

// TestCounted checks units in singular and plural.
func TestCounted(t *testing.T) {
	for _, c := range []struct {
		n    any
		unit string
		want string
	}{
		{uint64(1), "packets", "1 packet"},
		{2, "packets", "2 packets"},
		{int64(-1), "packets", "-1 packets"},
		{1, "entries", "1 entry"},
		{1, ticks, "1 unit of 2^-32 s"},
		{1, "rows", "1 row"},
		{1, "", "1"},
	} {
		if got := counted(c.n, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.n, c.unit, got, c.want)
		}
	}
}

// TestInSeconds checks that durations in microseconds print no further digits.
func TestInSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1809055 * time.Microsecond: "1.809055", 100 * time.Nanosecond: "1e-07", 3 * time.Hour: "10800", -time.Second / 2: "-0.5",
	} {
		if got := fmt.Sprint(inSeconds(d)); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
