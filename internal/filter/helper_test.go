package filter_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
	"gomapi/internal/testenv"
)

func newHelper(t *testing.T, o filter.HelperOptions) *filter.Helper {
	t.Helper()
	h := filter.NewHelper(o)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func wantError(t *testing.T, err error, code mapierr.Code, text string) {
	t.Helper()
	if mapierr.CodeOf(err, 0) != code || !strings.Contains(fmt.Sprint(err), text) {
		t.Errorf("error %d %v, want %d with %q", mapierr.CodeOf(err, 0), err, code, text)
	}
}

// works checks that h compiles.
func works(t *testing.T, h *filter.Helper) {
	t.Helper()
	p, err := h.Compile(t.Context(), "abc", 258)
	if err != nil {
		t.Fatal(err)
	}
	if raw := p.Raw(); len(raw) != 1 || raw[0].K != 3<<16|258 {
		t.Errorf("program %v does not come from the request", raw)
	}
}

// children returns the child processes of this process, as the kernel lists them.
func children(t *testing.T) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var ids []int
	for _, path := range stats {
		b, _ := os.ReadFile(path) // a process may have ended
		_, after, _ := strings.Cut(string(b), ") ")
		var state string
		var parent int
		if _, err := fmt.Sscan(after, &state, &parent); err == nil && parent == os.Getpid() {
			id, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			ids = append(ids, id)
		}
	}
	return ids
}

func TestHelperKeepsChild(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{})
	works(t, h)
	first := children(t)
	works(t, h)
	if now := children(t); len(first) != 1 || len(now) != 1 || first[0] != now[0] {
		t.Errorf("children %v, then %v; want one, kept", first, now)
	}
}

// TestHelperVerdicts: a refusal concerns the expression, so the child stays.
func TestHelperVerdicts(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{})
	works(t, h)
	before := children(t)
	for _, c := range []struct {
		expr string
		code mapierr.Code
		text string
	}{
		{"unable", mapierr.PcapOpenDead, "no more memory"},
		{"long text", mapierr.PcapBPF, strings.Repeat("x", 2048)},
		{"control bytes", mapierr.PcapBPF, "a?[31m?b"},
		{"no program", mapierr.PcapBPF, "0 instructions"},
		{"invalid program", mapierr.PcapBPF, "code 0xffff does not exist"},
		{"a\x00b", mapierr.PcapBPF, "NUL byte at offset 1"},
		{strings.Repeat("x", filter.MaxExpression+1), mapierr.PcapBPF, "at most 32768 are allowed"},
	} {
		_, err := h.Compile(t.Context(), c.expr, 1)
		wantError(t, err, c.code, c.text)
	}
	if now := children(t); len(now) != 1 || now[0] != before[0] {
		t.Errorf("child %v was replaced by %v", before, now)
	}
}

// TestHelperReplacesChild: a child that does anything else is killed, and the next
// request gets a new one.
func TestHelperReplacesChild(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{})
	for expr, text := range map[string]string{
		"exit":                "exit status 3",
		"kill":                "signal: killed",
		"short":               "exit status 0",
		"garbage":             "not an answer",
		"half an instruction": "not an answer",
		"huge":                "not an answer",
		"empty":               "not an answer",
		"twice":               "not an answer",
	} {
		works(t, h)
		before := children(t)
		_, err := h.Compile(t.Context(), expr, 1)
		wantError(t, err, mapierr.PcapBPF, text)
		works(t, h)
		if now := children(t); len(now) != 1 || now[0] == before[0] {
			t.Errorf("%s: child %v, then %v", expr, before, now)
		}
	}
}

// TestHelperTriesAgain: a request whose child ends is tried once more. One that takes too long is
// not.
func TestHelperTriesAgain(t *testing.T) {
	for _, c := range []struct {
		what, text string
		timeout    time.Duration
	}{
		{"kill", "", time.Minute}, {"exit", "", time.Minute}, {"short", "", time.Minute},
		{"garbage", "not an answer", time.Minute}, {"hang", "needs more than", 300 * time.Millisecond},
	} {
		h := newHelper(t, filter.HelperOptions{Timeout: c.timeout})
		testenv.Until(t, "there is a child", func() bool {
			_, err := h.Compile(t.Context(), "abc", 1)
			return err == nil
		})
		path := filepath.Join(t.TempDir(), "once")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := h.Compile(t.Context(), c.what+" once "+path, 1)
		if c.text != "" {
			wantError(t, err, mapierr.PcapBPF, c.text)
		} else if err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestHelperReplacesDeadChild(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{})
	works(t, h)
	if err := syscall.Kill(children(t)[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	h.AwaitExit()
	works(t, h)
}

func TestHelperReplacesOldChild(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{})
	works(t, h)
	first := children(t)
	for range 8192 { // requests that a child answers
		works(t, h)
	}
	if now := children(t); len(first) != 1 || len(now) != 1 || first[0] == now[0] {
		t.Errorf("children %v, then %v; want another one", first, now)
	}
}

func TestHelperTimeout(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{Timeout: 300 * time.Millisecond})
	ready := func() bool { // a child starts in time, if the machine allows it
		_, err := h.Compile(t.Context(), "abc", 1)
		return err == nil
	}
	testenv.Until(t, "there is a child", ready)
	_, err := h.Compile(t.Context(), "hang", 1)
	wantError(t, err, mapierr.PcapBPF, `"hang" needs more than 300ms to compile`)
	testenv.Until(t, "there is another child", ready)
}

func TestHelperContext(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{Max: 1, Timeout: time.Minute})
	works(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 { // one has the child, the other waits for it
		wg.Go(func() {
			_, err := h.Compile(ctx, "hang", 1)
			wantError(t, err, mapierr.PcapOpenDead, "context canceled")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v is not context.Canceled", err)
			}
		})
	}
	cancel()
	wg.Wait()
	works(t, h)
}

func TestHelperCloseInterrupts(t *testing.T) {
	h := filter.NewHelper(filter.HelperOptions{Max: 2, Timeout: time.Minute})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := h.Compile(t.Context(), "hang", 1)
			wantError(t, err, mapierr.PcapOpenDead, "not compiled")
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("%v is not os.ErrClosed", err)
			}
		})
	}
	for range 2 {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	_, err := h.Compile(t.Context(), "abc", 1)
	wantError(t, err, mapierr.PcapOpenDead, "closed")
}

func TestHelperParallel(t *testing.T) {
	h := newHelper(t, filter.HelperOptions{Max: 3})
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			for j := range 20 {
				expr := strings.Repeat("x", 1+i*20+j)
				if (i+j)%17 == 0 {
					expr = "exit"
				}
				p, err := h.Compile(t.Context(), expr, uint16(i))
				switch {
				case expr == "exit":
					wantError(t, err, mapierr.PcapBPF, "exit status 3")
				case err != nil:
					t.Error(err)
				case p.Raw()[0].K != uint32(len(expr))<<16|uint32(i):
					t.Errorf("answer of another request: %v", p.Raw())
				}
			}
		})
	}
	wg.Wait()
	if n := len(children(t)); n > 3 {
		t.Errorf("%d children, 3 are allowed", n)
	}
}

func TestHelperCannotStart(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct {
		options filter.HelperOptions
		text    string
	}{
		{filter.HelperOptions{Path: missing}, "no such file"},
		{filter.HelperOptions{Path: "/bin/false"}, "/bin/false does not become ready"},
		{filter.HelperOptions{MemoryLimit: fakeUnready}, "no seccomp here"},
		{filter.HelperOptions{MemoryLimit: fakeMute, Timeout: 100 * time.Millisecond}, "deadline exceeded"},
		{filter.HelperOptions{MemoryLimit: fakeQuits}, "does not become ready"},
	} {
		h := newHelper(t, c.options)
		_, err := h.Compile(t.Context(), "abc", 1)
		wantError(t, err, mapierr.PcapOpenDead, c.text)
	}
}
