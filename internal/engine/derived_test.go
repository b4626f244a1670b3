package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/account"
	"gomapi/internal/books"
	"gomapi/internal/foreign"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
	"gomapi/internal/ring"
	"gomapi/internal/shm"
	"gomapi/internal/testenv"
)

// bound is the user on whose flows functions are forced.
const bound = 7

// force makes functions be forced on the flows of that user.
func (b *bed) force(calls ...funccall.Call) {
	b.engine.opts.Forced = func(o Owner, _ string) []funccall.Call {
		if o.UID != bound {
			return nil
		}
		return calls
	}
}

// secret is in the payload of all packets of forcedTraffic.
const secret = "secret"

// forcedTraffic is packets with a secret; the last one is for port 1003.
func forcedTraffic() []drivers.Packet {
	pkts := sent(1200)
	for _, p := range pkts {
		copy(p.Link[46:], secret)
	}
	binary.BigEndian.PutUint16(pkts[len(pkts)-1].Link[36:], 1003)
	return pkts
}

// A forcing is a list of functions to be forced, and what they do with packets in other words.
type forcing struct {
	calls []funccall.Call
	alike func(pkts []drivers.Packet) []drivers.Packet
}

func forcings() map[string]forcing {
	one := func(pkts []drivers.Packet) (out []drivers.Packet) {
		for _, p := range pkts {
			if binary.BigEndian.Uint16(p.Link[36:]) == 1003 {
				out = append(out, p)
			}
		}
		return out
	}
	blank := func(pkts []drivers.Packet) (out []drivers.Packet) {
		for _, p := range pkts {
			p.Link = slices.Clone(p.Link)
			clear(p.Link[46:])
			out = append(out, p)
		}
		return out
	}
	filter := callOf("BPF_FILTER", "udp dst port 1003")
	return map[string]forcing{
		"filter": {[]funccall.Call{filter}, one},
		"sample": {[]funccall.Call{callOf("SAMPLE", int64(3), int64(2))}, func(pkts []drivers.Packet) (out []drivers.Packet) {
			for i := 2; i < len(pkts); i += 3 {
				out = append(out, pkts[i])
			}
			return out
		}},
		"overwrite": {[]funccall.Call{callOf("BLANK")}, blank},
		"both":      {[]funccall.Call{filter, callOf("BLANK")}, func(pkts []drivers.Packet) []drivers.Packet { return blank(one(pkts)) }},
		"emit": {[]funccall.Call{callOf("TWICE")}, func(pkts []drivers.Packet) (out []drivers.Packet) {
			for _, p := range pkts {
				out = append(out, p, p)
			}
			return out
		}},
	}
}

// forcedLibrary has the functions of forcings: BLANK overwrites payload, TWICE emits.
func forcedLibrary() flib.Library {
	var given, own []*flib.Packet
	return library(map[string]*script{
		"BLANK": {process: func(in []*flib.Packet) []*flib.Packet {
			for _, p := range in {
				clear(p.Link[46:])
			}
			return in
		}},
		"TWICE": {emits: true, process: func(in []*flib.Packet) []*flib.Packet {
			given = append(given, in...)
			own = own[:0]
			for ; len(given) > 0 && len(own) < flib.MaxList; given = given[1:] {
				own = append(own, given[0], given[0])
			}
			return own
		}},
	}, "BLANK")
}

// A fid stands for the numbers of the flow and of a function of it: the first is 0.
type fid int

// tour is flows with all that a program can learn of packets.
func tour() [][][]any {
	return [][][]any{
		{fn("PKT_COUNTER"), fn("BYTE_COUNTER"), fn("THRESHOLD", int64(1), fid(0), uint64(10), int64(1), int64(0))},
		{fn("BPF_FILTER", "udp dst port 1003"), fn("PKT_COUNTER")},
		{fn("BPF_FILTER", "udp dst port 1004"), fn("PKT_COUNTER"), fn("BYTE_COUNTER")},
		{fn("STR_SEARCH", secret, int64(0), int64(0)), fn("PKT_COUNTER")},
		{fn("BPF_FILTER", "udp dst port 1004"), fn("STR_SEARCH", secret, int64(0), int64(0)), fn("PKT_COUNTER")},
		{fn("LEARNED"), fn("PKT_COUNTER")},
		{fn("TALKERS")}, {fn("LENGTHS")}, {fn("GAP")},
		{fn("HASH", int64(3))}, {fn("HASHSAMP", int64(1000), int64(500)), fn("PKT_COUNTER")},
		{fn("PKTINFO", int64(1)), fn("STATS", fid(0), "0"), fn("DIST", fid(0), "0", "1000", "10")},
		{fn("PKT_COUNTER"), fn("BUCKET", fid(0), "+1s", int64(1))},
		{fn("SAMPLE", int64(4), int64(2)), fn("TO_BUFFER")},
		{fn("ECHO"), fn("TO_BUFFER")},
		{fn("BLANK"), fn("TO_FILE")},
		{fn("TO_FILE")},
	}
}

// A traveller makes the flows of a tour and writes down what it learns.
type traveller struct {
	*client
	device  string
	fds     []int32
	results []*shm.Reader
	rings   []*ring.Reader
	files   []string
	states  []*shm.Reader // of files: 0 when everything is in it
	diary   strings.Builder
}

func (c *client) travel(device string) *traveller {
	v := &traveller{client: c, device: device}
	for _, functions := range tour() {
		f, err := c.CreateFlow(c.t.Context(), device)
		if err != nil {
			c.t.Fatal(err)
		}
		fmt.Fprintln(&v.diary, f.DevType, f.LinkType)
		v.fds = append(v.fds, f.FD)
		var fids []int32
		for _, call := range functions {
			a := v.apply(f.FD, fids, call)
			fids = append(fids, a.FID)
		}
		wantCode(c.t, "connect", c.Connect(c.t.Context(), f.FD), 0)
	}
	return v
}

func (v *traveller) apply(fd int32, fids []int32, call []any) Applied {
	v.t.Helper()
	var args []any
	for _, a := range call[1:] {
		if i, ok := a.(fid); ok {
			args = append(args, int64(fd), int64(fids[i]))
		} else {
			args = append(args, a)
		}
	}
	if call[0] == "TO_FILE" {
		path := filepath.Join(v.t.TempDir(), "trace")
		file, err := os.Create(path)
		if err != nil {
			v.t.Fatal(err)
		}
		defer file.Close()
		v.files = append(v.files, path)
		args = []any{int64(0), flib.OpenFile{File: foreigntest.Own(v.t, file), Path: "trace"}, uint64(0)}
	}
	a, err := v.Apply(v.t.Context(), fd, call[0].(string), args)
	if err != nil {
		v.t.Fatalf("%v: %v", call, err)
	}
	if a.HasResult {
		r, err := v.view.Reader(a.Offset, a.Size)
		if err != nil {
			v.t.Fatal(err)
		}
		v.results = append(v.results, r)
		if call[0] == "TO_FILE" {
			v.states = append(v.states, r)
		}
	}
	if a.Ring != nil {
		r, err := ring.Open(a.Ring.Files()...)
		if err != nil {
			v.t.Fatal(err)
		}
		v.t.Cleanup(func() { r.Close() })
		v.rings = append(v.rings, r)
	}
	return a
}

// tell writes down what the flows have got, closes them and returns the diary.
func (v *traveller) tell() string {
	v.t.Helper()
	w := &v.diary
	testenv.Until(v.t, "the files are written", v.written)
	v.balance(v.fds)
	for _, f := range v.Flows() {
		f.Books.Opening, f.Start, f.End = 0, time.Time{}, time.Time{}
		fmt.Fprintf(w, "%+v\n", f)
		functions, err := v.Functions(f.FD)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, info := range functions {
			if info.Books != nil {
				info.Books.Opening = 0
				fmt.Fprintf(w, "%+v", *info.Books)
			}
			info.Books = nil
			fmt.Fprintf(w, "%+v\n", info)
		}
	}
	b, err := v.DeviceBooks(v.device)
	if err != nil || !b.Balances() {
		v.t.Errorf("the books of the device: %+v, %v", b, err)
	}
	fmt.Fprintln(w, b.In, b.Out, "truncated", lineOf(b, books.OfWhichTruncated))
	if st, err := v.DeviceStats(v.device); err == nil {
		fmt.Fprintf(w, "%+v\n", st)
	}
	for _, r := range v.results {
		value := make([]byte, r.Size())
		if err := r.Read(value); err != nil {
			v.t.Error(err)
		}
		fmt.Fprintf(w, "%x\n", value)
	}
	for _, r := range v.rings {
		fmt.Fprintln(w, "a buffer")
		for {
			p, ok, err := r.TryNext()
			if !ok {
				fmt.Fprintln(w, err)
				break
			}
			fmt.Fprintf(w, "%+v\n", p)
		}
	}
	for _, fd := range v.fds {
		wantCode(v.t, "close", v.CloseFlow(fd), 0)
	}
	for _, path := range v.files {
		data, err := os.ReadFile(path)
		if err != nil {
			v.t.Error(err)
		}
		fmt.Fprintf(w, "a file: %x\n", data)
	}
	return w.String()
}

// written reports whether all packets are in the files.
func (v *traveller) written() bool {
	state := make([]byte, 4)
	for _, r := range v.states {
		if r.Read(state) != nil || binary.NativeEndian.Uint32(state) != 0 {
			return false
		}
	}
	return true
}

// differ compares two diaries.
func differ(t *testing.T, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Errorf("%s, line %d:\n\t%.600s\nwant\n\t%.600s", what, i, g[i], w[i])
			return
		}
	}
	if len(g) != len(w) {
		t.Errorf("%s: %d lines, want %d", what, len(g), len(w))
	}
}

// live returns what users learn of packets of a live device.
func live(t *testing.T, pkts []drivers.Packet, calls []funccall.Call, uids ...uint32) (diaries []string) {
	b := newBed(t, flibtest.Library(), forcedLibrary())
	b.source.SetHold(-1) // packet time is that of the packets
	b.force(calls...)
	var travellers []*traveller
	for _, uid := range uids {
		travellers = append(travellers, b.client(uid).travel("net0"))
	}
	for i, batch := range slices.Collect(slices.Chunk(pkts, 100)) {
		b.source.Send(batch...)
		if i == 3 {
			b.settle()
		}
	}
	b.source.End(nil)
	for _, v := range travellers {
		if err := v.told(); err != nil {
			t.Fatal(err)
		}
		diaries = append(diaries, v.tell())
	}
	return diaries
}

// settle waits until the flows of all devices are in segments.
func (b *bed) settle() {
	captures := []*capture{b.engine.devices[0].cur}
	b.engine.mu.Lock()
	for _, d := range b.engine.derived {
		captures = append(captures, d.cur)
	}
	b.engine.mu.Unlock()
	for _, c := range captures {
		b.until("the flows are merged", func() bool { return c.compactor.stateLocked(time.Now()).Quiet() })
	}
}

// A user with forced functions learns of a live device what others would learn of one that has only
// the packets that leave these functions. Others learn what they always do.
func TestForcedFunctionsOfALiveDevice(t *testing.T) {
	pkts := forcedTraffic()
	free := live(t, pkts, nil, 1)[0]
	for name, f := range forcings() {
		t.Run(name, func(t *testing.T) {
			got := live(t, pkts, f.calls, bound, 1)
			want := live(t, f.alike(pkts), nil, bound)[0]
			differ(t, "the user with forced functions", got[0], want)
			differ(t, "another user", got[1], free)
			if name == "overwrite" && strings.Contains(got[0], fmt.Sprintf("%x", secret)) {
				t.Error("what was overwritten is there")
			}
		})
	}
}

// A roll is a file driver whose files have some packets.
type roll []drivers.Packet

func (r roll) OpenFile(_ context.Context, f *foreign.File) (drivers.Device, error) {
	f.Close()
	return &unrolled{pkts: r}, nil
}

// unrolled is such a file.
type unrolled struct {
	reel
	pkts []drivers.Packet
	read atomic.Uint64
}

func (u *unrolled) Stats() drivers.Stats { return drivers.Stats{Recv: u.read.Load()} }

func (u *unrolled) Run(ctx context.Context, s drivers.Sink) error {
	for batch := range slices.Chunk(u.pkts, 100) {
		if ctx.Err() != nil {
			break
		}
		u.read.Add(uint64(len(batch)))
		s.Batch(batch)
	}
	return nil
}

// read returns what users learn of a capture file.
func read(t *testing.T, pkts []drivers.Packet, calls []funccall.Call, uids ...uint32) (diaries []string) {
	b := newBed(t, flibtest.Library(), forcedLibrary())
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, roll(pkts))
	b.force(calls...)
	for i, uid := range uids {
		c := b.client(uid)
		b.engine.mu.Lock()
		b.engine.lastDev = 10 + int32(i) // the same names whoever else has files
		b.engine.mu.Unlock()
		v := c.travel(c.tape())
		wantCode(t, "start", c.StartOffline(v.device), 0)
		if err := v.told(); err != nil {
			t.Fatal(err)
		}
		diaries = append(diaries, v.tell())
		if len(c.ended) > 0 {
			t.Error("the end of the file is told twice")
		}
		wantCode(t, "delete", c.DeleteOffline(v.device), 0)
	}
	return diaries
}

// Likewise of a capture file.
func TestForcedFunctionsOfAFile(t *testing.T) {
	pkts := forcedTraffic()
	free := read(t, pkts, nil, bound, 1)[1]
	for name, f := range forcings() {
		t.Run(name, func(t *testing.T) {
			got := read(t, pkts, f.calls, bound, 1)
			differ(t, "the user with forced functions", got[0], read(t, f.alike(pkts), nil, bound)[0])
			differ(t, "another user", got[1], free)
		})
	}
}

// file opens a file of the bed's file driver.
func (c *client) file() (string, error) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return "", err
	}
	own, err := foreign.Own(f)
	if err != nil {
		return "", err
	}
	return c.CreateOffline(c.t.Context(), own, "file", drivers.FormatPCAP)
}

// What a list of forced functions cannot do refuses the flow, or the file, with the reason. Nothing
// is left of it, and the flow is never there without the functions.
func TestForcedFunctionsThatCannotRun(t *testing.T) {
	for what, c := range map[string]struct {
		call funccall.Call
		code mapierr.Code
	}{
		"unknown function": {callOf("NO_SUCH"), mapierr.FunctionNotFound},
		"bad argument":     {callOf("BPF_FILTER", int64(1)), mapierr.InvalidArgument1},
		"no argument":      {callOf("SAMPLE"), mapierr.InvalidArgument1},
		"bad filter":       {callOf("BPF_FILTER", "no filter at all"), mapierr.PcapBPF},
		"a buffer":         {callOf("TO_BUFFER"), mapierr.CouldNotApplyFunction},
		"a reference":      {callOf("BUCKET", int64(2), int64(1), "+1s", int64(0)), mapierr.InvalidArgument1},
	} {
		t.Run(what, func(t *testing.T) {
			b := newBed(t)
			b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, roll{udp(53, 0)})
			b.force(only53, c.call)
			u := b.client(bound)
			before := u.taken(account.Memory)
			_, err := u.CreateFlow(t.Context(), "net0")
			wantCode(t, "create", err, c.code)
			file, err := u.file()
			wantCode(t, "a file", err, c.code)
			if file != "" || len(u.Flows()) != 0 || b.derivations() != 0 || len(b.engine.derived) != 0 {
				t.Errorf("file %q, %d flows, %d derived devices are there", file, len(u.Flows()), b.derivations())
			}
			if n := u.taken(account.Memory); n != before {
				t.Errorf("%d bytes are charged, %d before", n, before)
			}
			b.client(1).connected(fn("PKT_COUNTER"))
		})
	}
}
