package acceptance

import (
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"

	"gomapi/flib/flibtest"
	"gomapi/internal/books"
	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// manyPackets is the size of captures that are read in batches of 256 packets only, because
// the race detector takes minutes for the others.
const manyPackets = 10_000

// TestContractsOnCaptures runs the functions of flibtest, which use all parts of the
// contract of functions, on every capture, in batches of several sizes, in lockstep
// and not. Results must be what follows from the counts of tcpdump, or from the
// packets as other libraries read them.
func TestContractsOnCaptures(t *testing.T) {
	dir := testdata.Dir(t)
	clients := make(map[int]*mapi.Client)
	for _, size := range []int{1, 7, 256} {
		clients[size] = startContracts(t, size)
	}
	var talkers, rows atomic.Uint64
	t.Run("captures", func(t *testing.T) {
		for _, c := range captures(t) {
			if c.erf() || c.status == "refused" {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(dir, c.name)
				m := measure(t, c, path)
				talkers.Add(m.talking)
				rows.Add(uint64(len(m.rows)))
				for size, client := range clients {
					if size < 256 && c.packets > manyPackets {
						continue
					}
					for _, inStep := range []bool{false, true} {
						t.Run(fmt.Sprintf("batch=%d,lockstep=%v", size, inStep), func(t *testing.T) {
							newTrial(t, client, path, m, inStep).run(c)
						})
					}
				}
			})
		}
	})
	if rows.Load() < 2000 || talkers.Load() < 1e6 {
		t.Errorf("only %d flows and %d talkers at packets were compared", rows.Load(), talkers.Load())
	}
	t.Logf("%d flows and %d talkers at packets compared, each up to %d times", rows.Load(), talkers.Load(), 2*len(clients))
}

// A trial is one pass over a file, with a flow for each row.
type trial struct {
	t      *testing.T
	client *mapi.Client
	device *mapi.OfflineDevice
	m      *measured
	inStep bool
	flows  []*mapi.Flow
	counts [][2]*mapi.Function // of each row: packets, bytes

	lengths, echoed, talkers, samples *mapi.Function
	talking                           *mapi.Function // in lockstep: STATS of talkers, at each packet
}

func newTrial(t *testing.T, client *mapi.Client, path string, m *measured, inStep bool) *trial {
	d, err := client.CreateOfflineDevice(t.Context(), path, mapi.FormatPCAP)
	must(t, err)
	x := &trial{t: t, client: client, device: d, m: m, inStep: inStep}
	for _, r := range m.rows {
		applied := x.flow(r.calls...)
		n := len(applied)
		x.counts = append(x.counts, [2]*mapi.Function{applied[n-2], applied[n-1]})
	}
	return x
}

// measures adds the flows of functions with a result of their own.
func (x *trial) measures() {
	x.t.Helper()
	x.lengths = x.flow(call{name: "LENGTHS"})[0]
	x.echoed = x.flow(call{name: "ECHO"}, call{name: "LENGTHS"})[1]
	x.talkers = x.flow(call{name: "TALKERS"})[0]
	if x.inStep {
		x.talking = x.flow(call{"STATS", []any{x.talkers, "0"}})[0]
	}
	x.samples = x.flow(call{name: "SAMPLES"})[0]
}

// flow connects a flow with these functions and two counters behind them.
func (x *trial) flow(calls ...call) (applied []*mapi.Function) {
	x.t.Helper()
	f, err := x.client.CreateFlow(x.t.Context(), x.device.Name())
	must(x.t, err)
	x.flows = append(x.flows, f)
	apply := func(name string, args ...any) {
		fn, err := f.Apply(x.t.Context(), name, args...)
		must(x.t, err)
		applied = append(applied, fn)
	}
	for _, c := range calls {
		apply(c.name, c.args...)
	}
	apply("PKT_COUNTER")
	apply("BYTE_COUNTER")
	if x.inStep { // because a function refers to another one
		_, err := f.Apply(x.t.Context(), "THRESHOLD", mapi.ThresholdUint64, applied[len(calls)], uint64(1), mapi.BoundaryAbove, 0)
		must(x.t, err)
	}
	must(x.t, f.Connect(x.t.Context()))
	return applied
}

// run reads the file and checks everything.
func (x *trial) run(c *capture) {
	x.measures()
	must(x.t, x.device.Start(x.t.Context()))
	x.checkSamples()
	err := x.device.Wait(x.t.Context())
	if c.status == "partial" {
		wantCode(x.t, "end of a damaged file", err, mapi.ErrFile)
	} else {
		must(x.t, err)
	}
	x.checkRows()
	x.checkLengths(x.lengths, 1)
	x.checkLengths(x.echoed, 2)
	x.checkTalkers()
	x.checkBooks()
	x.end()
}

// checkRows compares the counts behind the functions of all rows.
func (x *trial) checkRows() {
	x.t.Helper()
	for i, r := range x.m.rows {
		packets, err := x.counts[i][0].Uint64()
		must(x.t, err)
		bytes, err := x.counts[i][1].Uint64()
		must(x.t, err)
		if got := [2]uint64{packets, bytes}; got != r.want {
			x.t.Errorf("%v: %d packets and bytes, want %d", r.calls, got, r.want)
		}
	}
	balanced(x.t, x.client, x.device.Name())
}

// end closes the flows and deletes the device.
func (x *trial) end() {
	for _, f := range x.flows {
		must(x.t, f.Close(x.t.Context()))
	}
	must(x.t, x.device.Delete(x.t.Context()))
}

// checkSamples reads the records of SAMPLES to the end.
func (x *trial) checkSamples() {
	n, wrong := 0, 0
	for r, err := range x.samples.Results(x.t.Context()) {
		must(x.t, err)
		if n == len(x.m.samples) {
			x.t.Fatalf("more than %d records", n)
		}
		want := x.m.samples[n]
		if r.Stamp != want.ts || r.Kind != want.kind || string(r.Res) != string(want.data) {
			if wrong++; wrong == 1 {
				x.t.Errorf("record %d has time %d, kind %d, %d bytes; want %d, %d, %d: %.60x, %.60x",
					n, r.Stamp, r.Kind, len(r.Res), want.ts, want.kind, len(want.data), r.Res, want.data)
			}
		}
		n++
	}
	if _, err := x.samples.ReadNext(x.t.Context()); err != io.EOF {
		x.t.Errorf("after the last record: %v", err)
	}
	if lost, err := x.samples.Lost(); n != len(x.m.samples) || wrong > 0 || lost != x.m.oversize || err != nil {
		x.t.Errorf("%d records, %d wrong, want %d; %d lost, %v, want %d", n, wrong, len(x.m.samples), lost, err, x.m.oversize)
	}
}

// checkLengths compares the table of LENGTHS with times the packets of the file.
func (x *trial) checkLengths(fn *mapi.Function, times uint64) {
	x.t.Helper()
	r, err := fn.Read()
	must(x.t, err)
	if len(r.Res) != 8<<16 {
		x.t.Fatalf("LENGTHS has %d bytes", len(r.Res))
	}
	for size := range 1 << 16 {
		if n := binary.NativeEndian.Uint64(r.Res[8*size:]); n != times*x.m.lengths[size] {
			x.t.Errorf("%d packets of %d bytes, want %d", n, size, times*x.m.lengths[size])
		}
	}
}

// checkTalkers checks the talkers at the end, and their sum over all packets.
func (x *trial) checkTalkers() {
	x.t.Helper()
	if n, err := x.talkers.Uint64(); err != nil || n != x.m.talkers {
		x.t.Errorf("%d talkers, %v, want %d", n, err, x.m.talkers)
	}
	if x.talking == nil || x.m.packets == 0 {
		return
	}
	r, err := x.talking.Read()
	must(x.t, err)
	s, _ := result.ParseStats(r.Res)
	if sum, ok := s.Sum.Uint64(); !ok || s.Count != x.m.packets || sum != x.m.talking {
		x.t.Errorf("talkers at each packet: %+v, want a sum of %d", s, x.m.talking)
	}
}

// checkBooks checks the books of functions that take packets and emit others, to the packet.
func (x *trial) checkBooks() {
	for i, r := range x.m.rows {
		if name := r.calls[0].name; name != "ECHO" && name != "JOIN" {
			continue
		}
		functions, err := x.client.FlowFunctions(x.t.Context(), x.flows[i].FD())
		must(x.t, err)
		first := functions[0]
		lines := make(map[string]uint64)
		for _, l := range first.Books.Out {
			lines[l.Name] = l.Value
		}
		out := 2 * x.m.packets
		if first.Name == "JOIN" {
			out = (x.m.packets + 2) / 3
		}
		if first.Books.In != x.m.packets || lines[books.Taken] != x.m.packets || lines[books.Held] != 0 || first.Passed != out {
			x.t.Errorf("%v: %d in, %v, %d passed; want all of %d taken and %d passed", r.calls, first.Books.In, lines, first.Passed, x.m.packets, out)
		}
	}
}

// kindOf returns kind and data of the record that SAMPLES makes of a packet.
func kindOf(data []byte, wire int) (uint16, []byte) {
	if len(data) > 14 && data[12] == 8 && data[13] == 0 {
		return flibtest.KindIPv4, data[14:]
	}
	return flibtest.KindOther, binary.NativeEndian.AppendUint32(nil, uint32(wire))
}
