package acceptance

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
	"github.com/google/gopacket/pcapgo"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// TestReplay sends the packets of all Ethernet captures over a pair of
// interfaces. Live filters must count what tcpdump counts in the file.
// Truncated packets of the file are sent as they are, if possible. For files
// with such packets, tcpdump counts in a file of the sent frames.
func TestReplay(t *testing.T) {
	needs(t, "tcpdump")
	dir := testdata.Dir(t)
	testnet.Run(t, func(ns *testnet.NS) {
		ns.SetMTU(65535)
		r := &replay{sender: ns.Sender(testnet.A), client: start(t).client()}
		rows, files := 0, 0
		for _, c := range captures(t) {
			if c.status != "ok" || c.link != "ether" || c.packets == 0 {
				continue
			}
			files++
			t.Run(c.name, func(t *testing.T) { rows += r.check(t, c, filepath.Join(dir, c.name)) })
		}
		if files < 50 || rows < 1000 {
			t.Errorf("only %d filter rows of %d files were compared", rows, files)
		}
		t.Logf("%d filter rows of %d files compared", rows, files)
	})
}

// A replay sends files to counting flows, which are the same for all files.
type replay struct {
	sender *testnet.Sender
	client *mapi.Client
	flows  map[string]*counted // by filter, created on first use
	sent   uint64
}

// check sends a file and compares all its filters. It returns the number of
// filters.
func (r *replay) check(t *testing.T, c *capture, path string) int {
	path = plain(t, path)
	frames := slices.DeleteFunc(framesOf(t, path), tooShort)
	want := map[string][2]uint64{"": {c.packets, c.bytes}}
	maps.Copy(want, c.filters)
	if c.cut > 0 || uint64(len(frames)) != c.packets {
		sent := saveFrames(t, frames)
		for filter := range want {
			want[filter] = mustTcpdumpCount(t, sent, filter)
		}
	}
	r.connect(t, slices.Collect(maps.Keys(want)))
	before := r.counts(t)
	r.send(t, frames)
	after := r.counts(t)
	for filter, n := range want {
		got := [2]uint64{after[filter][0] - before[filter][0], after[filter][1] - before[filter][1]}
		if got != n {
			t.Errorf("%q: %d packets, %d bytes, want %d, %d", filter, got[0], got[1], n[0], n[1])
		}
	}
	return len(want)
}

// connect creates the missing flows.
func (r *replay) connect(t *testing.T, filters []string) {
	t.Helper()
	if r.flows == nil {
		r.flows = make(map[string]*counted)
	}
	for _, filter := range filters {
		if r.flows[filter] != nil {
			continue
		}
		f, err := count(context.Background(), r.client, testnet.B, filter)
		if err != nil {
			t.Fatal(err)
		}
		r.flows[filter] = f
	}
}

// tooShort reports whether a frame lacks a whole Ethernet header. The kernel
// does not send such frames.
func tooShort(frame []byte) bool { return len(frame) < 14 }

// burst is how many packets are sent before a wait for the device: fewer than
// the kernel queues for an interface.
const burst = 500

// send returns when the flows have received all frames.
func (r *replay) send(t *testing.T, frames [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i, f := range frames {
		if err := r.sender.Send(f); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		r.sent++
		if r.sent%burst != 0 {
			continue
		}
		for st, err := r.client.Stats(ctx, testnet.B); st.Recv < r.sent; st, err = r.client.Stats(ctx, testnet.B) {
			if err != nil {
				t.Fatalf("%d packets sent, %d received: %v", r.sent, st.Recv, err)
			}
			runtime.Gosched() // counters change without an event, by design
		}
	}
	atRest(t, r.client, r.sent)
}

func (r *replay) counts(t *testing.T) map[string][2]uint64 {
	t.Helper()
	all := make(map[string][2]uint64)
	for filter, f := range r.flows {
		packets, bytes := f.read(t)
		all[filter] = [2]uint64{packets, bytes}
	}
	return all
}

// plain returns the path of the file, or of a decompressed copy.
func plain(t *testing.T, path string) string {
	t.Helper()
	if !strings.HasSuffix(path, ".gz") {
		return path
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "plain.pcap")
	if err := os.WriteFile(copied, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

// framesOf returns the captured bytes of all packets, as read by libpcap.
func framesOf(t *testing.T, path string) (frames [][]byte) {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for {
		data, _, err := h.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, data)
	}
}

// saveFrames creates a file in which all frames are complete.
func saveFrames(t *testing.T, frames [][]byte) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "sent.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(1<<18, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, data := range frames {
		if err := w.WritePacket(gopacket.CaptureInfo{CaptureLength: len(data), Length: len(data)}, data); err != nil {
			t.Fatal(err)
		}
	}
	return f.Name()
}

func mustTcpdumpCount(t *testing.T, path, filter string) [2]uint64 {
	t.Helper()
	n, ok := tcpdumpCount(t, path, filter)
	if !ok {
		t.Fatalf("tcpdump does not take %q", filter)
	}
	return n
}
