package acceptance

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"os"
	"path/filepath"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// A piece is a sequence of calls on one flow; the last call is tested. Its
// outcome does not depend on other flows.
type piece struct {
	filters bool // rejects packets, so it needs a separate flow
	calls   []call
}

// newFile is an argument that stands for a file of the test.
type newFile struct{}

func alone(name string, args ...any) piece { return piece{calls: []call{{name, args}}} }

func behind(target call, name string, args ...any) piece {
	return piece{calls: []call{target, {name, args}}}
}

func filtering(name string, args ...any) piece {
	return piece{filters: true, calls: []call{{name, args}}}
}

// pieces cover every function of the library.
var pieces = []piece{
	alone("HASH", 0), alone("HASH", 3), alone("HASH", 2+mapi.AnyHeaders),
	alone("PKT_COUNTER"), alone("BYTE_COUNTER"), alone("GAP"),
	alone("PKTINFO", mapi.PktTS), alone("PKTINFO", mapi.PktSize),
	alone("BURST", 0, 10000, 1000, 16000, 1230400, 1230400, 10, 1),
	behind(call{"GAP", nil}, "BINOP", mapi.BinopAdd, earlier(0), earlier(0)),
	behind(call{"PKT_COUNTER", nil}, "BUCKET", earlier(0), "5s", 1),
	behind(call{"BYTE_COUNTER", nil}, "BUCKET", earlier(0), "0", 0),
	behind(sizes, "DIST", earlier(0), "0", "1600", "100"),
	behind(gaps, "DIST", earlier(0), "0", "1s", "1ms"),
	behind(sizes, "STATS", earlier(0), "0"),
	behind(gaps, "STATS", earlier(0), "1"),
	behind(call{"PKT_COUNTER", nil}, "STATS", earlier(0), "1s"),
	behind(call{"BYTE_COUNTER", nil}, "THRESHOLD", mapi.ThresholdUint64+mapi.ThresholdWindow, earlier(0), 1000, mapi.BoundaryAbove, 1_000_000, 4, 0),
	behind(sizes, "THRESHOLD", mapi.ThresholdInt, earlier(0), 600, mapi.BoundaryDiffAbove, 0),
	behind(call{"PKT_COUNTER", nil}, "RES2FILE", "1", earlier(0), "packets", newFile{}, "5s", 1),
	behind(sizes, "RES2FILE", "1", earlier(0), "sizes", newFile{}, "0", 0),
	behind(call{"BYTE_COUNTER", nil}, "RES2FILE", "1", earlier(0), "bytes", newFile{}, "-1", 0),
	alone("TO_FILE", 0, newFile{}), alone("TO_FILE", 0, newFile{}, 50), alone("TO_BUFFER"),
	filtering("BPF_FILTER", "greater 100"), filtering("STR_SEARCH", "HTTP|||00 00 00|", 0, 0),
	filtering("SAMPLE", 7, mapi.SamplePeriodic), filtering("HASHSAMP", 512, 1), filtering("HASHSAMP", 700+mapi.AnyHeaders, 0),
	filtering("STARTSTOP", "+1s", "+30s"),
}

// TestAllFunctionsAtOnce runs every function on every capture, all at once in
// flows that start together and refer to each other. Each must have the same
// result as alone, those that read other flows must agree with tcpdump, and no
// packet may be lost.
func TestAllFunctionsAtOnce(t *testing.T) {
	client := start(t).client()
	compared := 0
	for _, c := range captures(t) {
		if c.erf() || c.status == "refused" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			together := runPieces(t, client, c, pieces)
			for i, p := range pieces {
				if one := runPieces(t, client, c, []piece{p}); together[i] != one[0] {
					t.Errorf("%v among all others: %s, alone %s", p.calls, together[i], one[0])
				}
			}
		})
		compared++
	}
	if compared < 50 {
		t.Errorf("only %d captures were read", compared)
	}
}

// TestAllFunctionsAreDocumented compares the results of functions with the
// information calls, and checks that the pieces cover all functions.
func TestAllFunctionsAreDocumented(t *testing.T) {
	client := start(t).client()
	f, err := client.CreateOfflineFlow(t.Context(), filepath.Join(testdata.Dir(t), "mapi-www.pcap"), mapi.FormatPCAP)
	must(t, err)
	j := &joint{t: t, client: client}
	has := map[string]bool{"SYNC": j.hasResult(j.apply(f, "SYNC", f))}
	for _, p := range pieces {
		fn := j.install(f, p).fn
		has[fn.Name()] = has[fn.Name()] || j.hasResult(fn)
	}
	functions, err := client.LibraryFunctions(t.Context(), 0)
	must(t, err)
	for _, info := range functions {
		if got, ok := has[info.Name]; !ok || got != (info.Result != "") {
			t.Errorf("%s has a result: %v; it is documented as %q", info.Name, got, info.Result)
		}
	}
	if len(has) != len(functions) {
		t.Errorf("%d functions in the pieces, %d in the library", len(has), len(functions))
	}
}

// hasResult reports whether a function of a flow that is not connected yet has
// a result, or a series.
func (j *joint) hasResult(fn *mapi.Function) bool {
	_, err := fn.Lost()
	info, infoErr := fn.Info(j.t.Context())
	must(j.t, infoErr)
	return info.ResultSize > 0 || err == nil && fn.Name() != "TO_BUFFER"
}

// A joint is a set of flows on one device that run pieces.
type joint struct {
	t      *testing.T
	client *mapi.Client
	device *mapi.OfflineDevice
	flows  []*mapi.Flow
	parts  []*part
}

// A part is a running piece.
type part struct {
	fn      *mapi.Function
	file    string
	packets chan string // packets of TO_BUFFER, at the end
}

// runPieces returns the outcome of each piece. The first flow has all pieces
// that pass all packets. If there are other flows, all start with the same
// packet.
func runPieces(t *testing.T, client *mapi.Client, c *capture, pieces []piece) (outcomes []string) {
	t.Helper()
	d, err := client.CreateOfflineDevice(t.Context(), filepath.Join(testdata.Dir(t), c.name), mapi.FormatPCAP)
	must(t, err)
	defer func() { must(t, d.Delete(t.Context())) }()
	j := &joint{t: t, client: client, device: d}
	all, check := j.flow(), func() {}
	flows := make([]*mapi.Flow, len(pieces))
	for i, p := range pieces {
		if flows[i] = all; p.filters && len(pieces) > 1 {
			flows[i] = j.flow()
		}
	}
	if len(pieces) > 1 {
		j.apply(all, "SYNC", j.flows)
	}
	for i, p := range pieces {
		j.parts = append(j.parts, j.install(flows[i], p))
	}
	if want, ok := c.filters["tcp"]; ok && c.status == "ok" && len(pieces) > 1 {
		check = j.crossed(all, c.packets, want)
	}
	j.read(c)
	balanced(t, client, d.Name())
	check()
	return j.outcomes()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (j *joint) flow() *mapi.Flow {
	j.t.Helper()
	f, err := j.client.CreateFlow(j.t.Context(), j.device.Name())
	must(j.t, err)
	j.flows = append(j.flows, f)
	return f
}

func (j *joint) apply(f *mapi.Flow, name string, args ...any) *mapi.Function {
	j.t.Helper()
	fn, err := f.Apply(j.t.Context(), name, args...)
	must(j.t, err)
	return fn
}

// install applies the calls of a piece.
func (j *joint) install(f *mapi.Flow, p piece) *part {
	j.t.Helper()
	out := &part{}
	var applied []*mapi.Function
	for _, c := range p.calls {
		args := make([]any, len(c.args))
		for i, a := range c.args {
			switch v := a.(type) {
			case earlier:
				a = applied[v]
			case newFile:
				out.file = filepath.Join(j.t.TempDir(), "out")
				a = out.file
			}
			args[i] = a
		}
		applied = append(applied, j.apply(f, c.name, args...))
	}
	out.fn = applied[len(applied)-1]
	if out.fn.Name() == "TO_BUFFER" {
		out.packets = make(chan string, 1)
	}
	return out
}

// crossed adds a flow of TCP packets that reads a function of the flow of all
// packets, and one that reads both. It returns a check for the end of the file:
// tcpdump's counts are total packets, and want packets and bytes of TCP.
func (j *joint) crossed(all *mapi.Flow, total uint64, want [2]uint64) (check func()) {
	packets, size := j.apply(all, "PKT_COUNTER"), j.apply(all, "PKTINFO", mapi.PktSize)
	tcp := j.flow()
	j.apply(tcp, "BPF_FILTER", "tcp")
	matched := j.apply(tcp, "PKT_COUNTER")
	stats := j.apply(tcp, "STATS", size, "0")
	j.apply(tcp, "SYNC", j.flows)
	other := j.flow()
	rest := j.apply(other, "BINOP", mapi.BinopSub, packets, matched)
	return func() {
		r, err := stats.Read()
		must(j.t, err)
		s, _ := result.ParseStats(r.Res)
		if sum, ok := s.Sum.Uint64(); !ok || s.Count != want[0] || sum != want[1] {
			j.t.Errorf("sizes of TCP packets: %+v, tcpdump says %d packets of %d bytes", s, want[0], want[1])
		}
		if n, err := rest.Uint64(); err != nil || n != total-want[0] && total > 0 {
			j.t.Errorf("%d packets are not TCP, %v; tcpdump says %d", n, err, total-want[0])
		}
	}
}

// read reads the file to its end, or to the damage.
func (j *joint) read(c *capture) {
	j.t.Helper()
	for _, f := range j.flows {
		must(j.t, f.Connect(j.t.Context()))
	}
	for _, p := range j.parts {
		if p.packets != nil {
			go func() { p.packets <- p.taken(j.t.Context()) }() // ends with the file
		}
	}
	must(j.t, j.device.Start(j.t.Context()))
	err := j.device.Wait(j.t.Context())
	if damaged := errors.Is(err, mapi.ErrFile); err != nil && !(damaged && c.status == "partial") {
		j.t.Fatal(err)
	}
}

// outcomes returns the outcome of each piece. It closes the flows.
func (j *joint) outcomes() (out []string) {
	j.t.Helper()
	for _, p := range j.parts {
		out = append(out, p.passed(j.t))
		if p.file == "" { // the part of the file that is written so far depends on timing
			out[len(out)-1] += p.result(j.t)
		}
	}
	for _, f := range j.flows {
		must(j.t, f.Close(j.t.Context()))
	}
	for i, p := range j.parts {
		if p.file != "" {
			b, err := os.ReadFile(p.file)
			must(j.t, err)
			out[i] += fmt.Sprintf(", file of %d bytes %x", len(b), crc64.Checksum(b, checksum))
		}
	}
	return out
}

var checksum = crc64.MakeTable(crc64.ECMA)

// passed is the number of packets that passed the function.
func (p *part) passed(t *testing.T) string {
	t.Helper()
	info, err := p.fn.Info(t.Context())
	must(t, err)
	return fmt.Sprintf("%d of %d packets passed", info.Passed, info.Packets)
}

// result is the result of the function at the end of the file.
func (p *part) result(t *testing.T) string {
	t.Helper()
	if p.packets != nil {
		return <-p.packets
	}
	if _, err := p.fn.Lost(); err == nil { // it is a series
		sum, entries := uint64(0), 0
		for r, err := range p.fn.Results(t.Context()) {
			must(t, err)
			sum = crc64.Update(sum, checksum, r.Res)
			entries++
		}
		lost, err := p.fn.Lost()
		must(t, err)
		return fmt.Sprintf(", %d entries %x and %d lost", entries, sum, lost)
	}
	r, err := p.fn.Read()
	if errors.Is(err, mapi.ErrNoResult) {
		return ""
	}
	must(t, err)
	return fmt.Sprintf(", result of %d bytes %x", len(r.Res), crc64.Checksum(r.Res, checksum))
}

// taken takes all packets of TO_BUFFER.
func (p *part) taken(ctx context.Context) string {
	sum, packets := uint64(0), 0
	for pkt, err := range p.fn.Packets(ctx) {
		if err != nil {
			return err.Error()
		}
		head := binary.BigEndian.AppendUint64(nil, pkt.TS)
		sum = crc64.Update(sum, checksum, binary.BigEndian.AppendUint32(head, pkt.Wlen))
		sum = crc64.Update(sum, checksum, pkt.Data)
		packets++
	}
	return fmt.Sprintf(", %d packets %x taken", packets, sum)
}
