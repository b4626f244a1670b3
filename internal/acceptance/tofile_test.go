package acceptance

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"gomapi/internal/testdata"
	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// save is a flow that writes packets of a capture file.
type save struct {
	flow    *mapi.Flow
	files   []*mapi.Function
	packets *mapi.Function // after the files
}

// saveFile creates a flow with a TO_FILE for each list of arguments and starts
// it.
func saveFile(t *testing.T, c *mapi.Client, path, filter string, files ...[]any) *save {
	t.Helper()
	ctx := t.Context()
	f, err := c.CreateOfflineFlow(ctx, path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	if filter != "" {
		if _, err := f.Apply(ctx, "BPF_FILTER", filter); err != nil {
			t.Fatal(err)
		}
	}
	s := &save{flow: f}
	for _, args := range files {
		fn, err := f.Apply(ctx, "TO_FILE", args...)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, fn)
	}
	if s.packets, err = f.Apply(ctx, "PKT_COUNTER"); err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// becomes polls the result of a TO_FILE, like programs do.
func becomes(t *testing.T, fn *mapi.Function, want result.FileState) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		r, err := fn.Read()
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := result.ParseFileState(r.Res); ok && s == want {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("the result remains %d, want %d", s, want)
		}
	}
}

// sameCapture checks that two files in tcpdump's format have the same link type
// and records. If the source has nanoseconds, tcpdump truncates and we round.
func sameCapture(t *testing.T, got, want []byte) {
	t.Helper()
	if len(got) < 24 || !bytes.Equal(got[:16], want[:16]) || !bytes.Equal(got[20:24], want[20:24]) {
		t.Fatalf("file head % x, tcpdump writes % x", got[:min(24, len(got))], want[:24])
	}
	if len(got) != len(want) {
		t.Fatalf("%d bytes, tcpdump writes %d", len(got), len(want))
	}
	u32 := binary.NativeEndian.Uint32
	for at := 24; at < len(want); {
		g, w := got[at:], want[at:]
		end := 16 + int(u32(w[8:]))
		late := int64(u32(g))*1e6 + int64(u32(g[4:])) - int64(u32(w))*1e6 - int64(u32(w[4:]))
		if late < 0 || late > 1 || !bytes.Equal(g[8:end], w[8:end]) {
			t.Fatalf("record at %d: head % x, tcpdump writes % x (or other bytes after it)", at, g[:16], w[:16])
		}
		at += end
	}
}

// TestSavedCaptures writes every capture of the data set that tcpdump can read,
// complete and filtered in one pass, and compares with tcpdump's output.
func TestSavedCaptures(t *testing.T) {
	needs(t, "tcpdump")
	dir := testdata.Dir(t)
	client := start(t).client()
	compared := 0
	for _, c := range captures(t) {
		if c.erf() || c.status != "ok" || len(c.filters) == 0 {
			continue
		}
		filter := "tcp"
		if _, ok := c.filters[filter]; !ok {
			filter = ""
		}
		t.Run(c.name, func(t *testing.T) {
			out, ref := filepath.Join(t.TempDir(), "out.pcap"), filepath.Join(t.TempDir(), "ref.pcap")
			path := filepath.Join(dir, c.name)
			plain := path
			if strings.HasSuffix(path, ".gz") {
				plain = filepath.Join(t.TempDir(), "plain")
				if err := os.WriteFile(plain, []byte(output(t, "gzip", "-dc", path)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := tcpdump("-r", plain, "-w", ref, filter); err != nil {
				t.Fatal(err)
			}
			s := saveFile(t, client, path, filter, []any{mapi.FormatPCAP, out, 0})
			if err := s.flow.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			becomes(t, s.files[0], result.FileDone)
			if err := s.flow.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(ref)
			if err != nil {
				t.Fatal(err)
			}
			sameCapture(t, got, want)
			compared++
		})
	}
	if compared < 30 {
		t.Errorf("only %d captures were compared", compared)
	}
	t.Logf("%d captures compared", compared)
}

func countWithTcpdump(t *testing.T, path string, filter ...string) uint64 {
	t.Helper()
	return uint64(strings.Count(output(t, "tcpdump", append([]string{"-n", "-t", "-q", "-r", path}, filter...)...), "\n"))
}

// TestTwoFilesAndALimit writes all and the first fifty packets of one flow;
// functions after both files see all packets.
func TestTwoFilesAndALimit(t *testing.T) {
	needs(t, "tcpdump")
	dir := t.TempDir()
	trace := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	all, some := filepath.Join(dir, "all.pcap"), filepath.Join(dir, "some.pcap")
	s := saveFile(t, start(t).client(), trace, "tcp", []any{mapi.FormatPCAP, all}, []any{mapi.FormatPCAP, some, 50})
	becomes(t, s.files[1], result.FileDone) // without Close
	if n := countWithTcpdump(t, some); n != 50 {
		t.Errorf("%d packets after the limit of 50", n)
	}
	if err := s.flow.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.packets.Uint64(); n != 596 || err != nil {
		t.Errorf("%d packets passed, %v, want 596", n, err)
	}
	if err := s.flow.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := countWithTcpdump(t, all, "tcp"); n != 596 {
		t.Errorf("%d packets in the other file, want 596", n)
	}
	if st, err := os.Stat(all); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("file mode %v, %v, want 0600", st.Mode(), err)
	}
}

// TestFileErrors checks for the original's error numbers. A file that fails
// reports this in its result and stops no packet.
func TestFileErrors(t *testing.T) {
	client := start(t).client()
	trace := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	f, err := client.CreateOfflineFlow(t.Context(), trace, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.pcap")
	for _, c := range []struct {
		what string
		args []any
		want mapi.Code
	}{
		{"format", []any{13242312, out, 0}, mapi.ErrCouldNotApplyFunction},
		{"no path", []any{mapi.FormatPCAP, nil, 0}, mapi.ErrFile},
		{"empty path", []any{mapi.FormatPCAP, "", 0}, mapi.ErrFile},
		{"folder that is not there", []any{mapi.FormatPCAP, filepath.Join(out, "none"), 0}, mapi.ErrFile},
		{"folder", []any{mapi.FormatPCAP, t.TempDir(), 0}, mapi.ErrFile},
	} {
		_, err := f.Apply(t.Context(), "TO_FILE", c.args...)
		wantCode(t, c.what, err, c.want)
	}
	s := saveFile(t, client, trace, "", []any{mapi.FormatPCAP, "/dev/full", 0})
	becomes(t, s.files[0], result.FileFailed)
	if err := s.flow.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.packets.Uint64(); n != 893 || err != nil {
		t.Errorf("%d packets passed, %v, want 893", n, err)
	}
}

// TestPipeThatNobodyReads checks that such a pipe costs its flow the packets
// and two seconds, and other flows nothing.
func TestPipeThatNobodyReads(t *testing.T) {
	d := start(t)
	client := d.client()
	trace := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	s := saveFile(t, client, trace, "", []any{mapi.FormatPCAP, w, 0})
	if err := s.flow.Wait(t.Context()); err != nil { // the packets fit into the queue
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- s.flow.Close(t.Context()) }()
	if got := countFile(t, d.client(), trace, "tcp")[0][0]; got != 596 {
		t.Errorf("%d packets of tcp in the other flow, want 596", got)
	}
	testenv.Within(t, "closing", func() {
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

// TestLiveToFile writes frames sent over a veth pair.
//
//	test ── a ═══ b ── mapid ── file ── tcpdump
func TestLiveToFile(t *testing.T) {
	needs(t, "tcpdump")
	testnet.Run(t, func(ns *testnet.NS) {
		c := start(t).client()
		out := filepath.Join(t.TempDir(), "live.pcap")
		f, err := c.CreateFlow(t.Context(), testnet.B)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Apply(t.Context(), "BPF_FILTER", "udp"); err != nil {
			t.Fatal(err)
		}
		fn, err := f.Apply(t.Context(), "TO_FILE", mapi.FormatPCAP, out, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		sender := ns.Sender(testnet.A)
		var want []byte
		for i := range 1200 {
			frame := testnet.UDP(uint64(i), 100+i%1000)
			if err := sender.Send(frame); err != nil {
				t.Fatal(err)
			}
			if i < 1000 {
				want = append(want, frame...)
			}
		}
		becomes(t, fn, result.FileDone)
		if n := countWithTcpdump(t, out, "udp"); n != 1000 {
			t.Errorf("%d packets in the file, want 1000", n)
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var frames []byte
		for at := 24; at < len(got); {
			end := at + 16 + int(binary.NativeEndian.Uint32(got[at+8:]))
			frames = append(frames, got[at+16:end]...)
			at = end
		}
		if !bytes.Equal(frames, want) {
			t.Errorf("the file holds other bytes: %d, want %d", len(frames), len(want))
		}
	})
}
