package mapi_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/mapi"
)

// oldContent is longer than the new content that the tests write.
var oldContent = bytes.Repeat([]byte("old content\n"), 10000)

// targets returns the paths of an existing file and of a missing one.
func targets(t *testing.T) (old, none string) {
	t.Helper()
	dir := t.TempDir()
	old, none = filepath.Join(dir, "old"), filepath.Join(dir, "none")
	must(os.WriteFile(old, oldContent, 0o640))
	return old, none
}

// untouched checks that both files are as targets has left them.
func untouched(t *testing.T, what, old, none string) {
	t.Helper()
	if got, err := os.ReadFile(old); err != nil || !bytes.Equal(got, oldContent) {
		t.Errorf("%s: the old file has %d bytes, %v", what, len(got), err)
	}
	if _, err := os.Lstat(none); err == nil {
		t.Errorf("%s: a file was created", what)
		must(os.Remove(none))
	}
}

// TestFailedApplyLeavesFilesAlone has calls with all kinds of errors.
func TestFailedApplyLeavesFilesAlone(t *testing.T) {
	c := client(t)
	connected, counter := counting(t, c, "spare", "")
	f, err := c.CreateFlow(t.Context(), "spare")
	must(err)
	closed, err := c.CreateFlow(t.Context(), "spare")
	must(err)
	must(closed.Close(t.Context()))
	old, none := targets(t)
	for _, call := range []struct {
		what string
		flow *mapi.Flow
		name string
		args func(path string) []any
		want mapi.Code
	}{
		{"format", f, "TO_FILE", func(p string) []any { return []any{13242312, p, 0} }, mapi.ErrCouldNotApplyFunction},
		{"negative limit", f, "TO_FILE", func(p string) []any { return []any{0, p, -1} }, mapi.ErrInvalidArgument3},
		{"limit as text", f, "TO_FILE", func(p string) []any { return []any{0, p, "many"} }, mapi.ErrInvalidArgument3},
		{"type that cannot be passed", f, "TO_FILE", func(p string) []any { return []any{0, p, 1.5} }, mapi.ErrInvalidArgument3},
		{"too many", f, "TO_FILE", func(p string) []any { return []any{0, p, 0, 0} }, mapi.ErrInvalidArgument4},
		{"connected flow", connected, "TO_FILE", func(p string) []any { return []any{0, p, 0} }, mapi.ErrCouldNotApplyFunction},
		{"closed flow", closed, "TO_FILE", func(p string) []any { return []any{0, p, 0} }, mapi.ErrInvalidFlow},
		{"no function", f, "TO_FILES", func(p string) []any { return []any{0, p, 0} }, mapi.ErrFunctionNotFound},
		{"too few", f, "RES2FILE", func(p string) []any { return []any{"1", counter, "h", p} }, mapi.ErrInvalidArgument5},
		{"types", f, "RES2FILE", func(p string) []any { return []any{"9", counter, "h", p, "1s", 0} }, mapi.ErrInvalidArgument1},
		{"too long for a message", f, "RES2FILE", func(p string) []any { return []any{"1", counter, string(oldContent), p, "1s", 0} }, mapi.ErrInvalidArgument3},
		{"interval", f, "RES2FILE", func(p string) []any { return []any{"1", counter, "h", p, "soon", 0} }, mapi.ErrInvalidArgument5},
		{"reset", f, "RES2FILE", func(p string) []any { return []any{"1", counter, "h", p, "1s", 234} }, mapi.ErrInvalidArgument6},
		{"nil function", f, "RES2FILE", func(p string) []any { return []any{"1", (*mapi.Function)(nil), "h", p, "1s", 0} }, mapi.ErrInvalidArgument2},
	} {
		for _, path := range []string{old, none} {
			_, err := call.flow.Apply(t.Context(), call.name, call.args(path)...)
			wantCode(t, call.name+": "+call.what, err, call.want)
			untouched(t, call.name+": "+call.what, old, none)
		}
	}
}

// TestApplyEmptiesTheFile checks that libpcap reads what was written, without
// rests of old content.
func TestApplyEmptiesTheFile(t *testing.T) {
	old, none := targets(t)
	link := filepath.Join(t.TempDir(), "link")
	must(os.Symlink(old, link))
	for _, path := range []string{link, none} {
		f, err := client(t).CreateOfflineFlow(t.Context(), "trace.pcap", mapi.FormatPCAP)
		must(err)
		_, err = f.Apply(t.Context(), "TO_FILE", mapi.FormatPCAP, path)
		must(err)
		st, err := os.Stat(path)
		must(err)
		if st.Size() != 0 {
			t.Errorf("%s has %d bytes before connect", path, st.Size())
		}
		must(f.Connect(t.Context()))
		must(f.Wait(t.Context()))
		must(f.Close(t.Context()))
		if n := packetsIn(t, path); n != 5 {
			t.Errorf("%d packets in %s, want 5", n, path)
		}
	}
	if st, err := os.Stat(none); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

// TestFilesOfTheProgramKeepTheirContent checks that a file opened by the
// program is not truncated.
func TestFilesOfTheProgramKeepTheirContent(t *testing.T) {
	old, _ := targets(t)
	file, err := os.OpenFile(old, os.O_WRONLY|os.O_APPEND, 0)
	must(err)
	defer file.Close()
	f, fn := flowWith(t, client(t), "spare", "PKT_COUNTER")
	_, err = f.Apply(t.Context(), "RES2FILE", "1", fn, "header", file, "-1", 0)
	must(err)
	must(f.Connect(t.Context()))
	must(f.Close(t.Context()))
	got, err := os.ReadFile(old)
	must(err)
	if rest, ok := bytes.CutPrefix(got, oldContent); !ok || !bytes.HasPrefix(rest, []byte("header\n")) {
		t.Errorf("%d bytes, %q at the end", len(got), got[max(0, len(got)-50):])
	}
}

// TestCaptureFileIsNotWrittenTo tries its path, another name and a descriptor.
func TestCaptureFileIsNotWrittenTo(t *testing.T) {
	dir := t.TempDir()
	trace, other := filepath.Join(dir, "trace.pcap"), filepath.Join(dir, "other")
	want, err := os.ReadFile("trace.pcap")
	must(err)
	must(os.WriteFile(trace, want, 0o600))
	must(os.Link(trace, other))
	file, err := os.OpenFile(trace, os.O_WRONLY|os.O_APPEND, 0)
	must(err)
	defer file.Close()
	c := client(t)
	d, err := c.CreateOfflineDevice(t.Context(), trace, mapi.FormatPCAP)
	must(err)
	f, fn := flowWith(t, c, d.Name(), "PKT_COUNTER")
	elsewhere, _ := flowWith(t, c, "spare", "PKT_COUNTER")
	for _, to := range []any{trace, other, file} {
		for _, flow := range []*mapi.Flow{f, elsewhere} {
			_, err = flow.Apply(t.Context(), "TO_FILE", mapi.FormatPCAP, to)
			wantCode(t, "TO_FILE", err, mapi.ErrFile)
			if err != nil && !strings.Contains(err.Error(), d.Name()) {
				t.Errorf("%v does not name the device", err)
			}
		}
		_, err = f.Apply(t.Context(), "RES2FILE", "1", fn, "header", to, "0", 0)
		wantCode(t, "RES2FILE", err, mapi.ErrFile)
	}
	if got, err := os.ReadFile(trace); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the capture file has changed, %v", err)
	}
	must(d.Delete(t.Context()))
	_, err = elsewhere.Apply(t.Context(), "TO_FILE", mapi.FormatPCAP, trace)
	wantCode(t, "after the device", err, 0)
}

// flowWith creates a flow with a function, not connected.
func flowWith(t *testing.T, c *mapi.Client, device, name string) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	f, err := c.CreateFlow(t.Context(), device)
	must(err)
	fn, err := f.Apply(t.Context(), name)
	must(err)
	return f, fn
}

// packetsIn counts packets with libpcap.
func packetsIn(t *testing.T, path string) (n int) {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for {
		if _, _, err := h.ReadPacketData(); err != nil {
			return n
		}
		n++
	}
}
