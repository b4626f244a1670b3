package stdflib

import (
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// frame makes an Ethernet frame with an IPv4 packet of the given protocol.
func frame(proto byte, wire uint32) *flib.Packet {
	b := make([]byte, 60)
	b[12], b[13] = 0x08, 0x00
	b[14], b[23] = 0x45, proto
	return &flib.Packet{Link: b, Wire: wire, LinkType: flibtest.EN10MB}
}

func TestCounters(t *testing.T) {
	pkts := []*flib.Packet{frame(6, 60), frame(17, 1500), frame(6, 4096)}
	for _, c := range []struct {
		name string
		want uint64
	}{{"PKT_COUNTER", 3}, {"BYTE_COUNTER", 60 + 1500 + 4096}} {
		t.Run(c.name, func(t *testing.T) {
			b := flibtest.New(t, Library(), c.name)
			if v := b.Uint64(); v != 0 {
				t.Errorf("result is %d before the first packet", v)
			}
			if out := b.Process(pkts...); len(out) != len(pkts) {
				t.Errorf("%d of %d packets went on", len(out), len(pkts))
			}
			if v, ok := result.ParseCounter(b.Result()); !ok || uint64(v) != c.want {
				t.Errorf("result is %d, %v, want %d", v, ok, c.want)
			}
			b.Process(pkts...)
			if v := b.Uint64(); v != 2*c.want {
				t.Errorf("result is %d after both batches, want %d", v, 2*c.want)
			}
			b.Function.(flib.Resetter).Reset()
			if v := b.Uint64(); v != 0 {
				t.Errorf("result is %d after reset", v)
			}
		})
	}
}

func TestCountersIgnoreSurplusArguments(t *testing.T) {
	for _, name := range []string{"PKT_COUNTER", "BYTE_COUNTER"} {
		if _, err := flibtest.Apply(t, Library(), name, int64(1), "more"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilterLetsThroughWhatMatches(t *testing.T) {
	b := flibtest.New(t, Library(), "BPF_FILTER", "tcp")
	tcp, udp := frame(6, 60), frame(17, 60)
	out := b.Process(tcp, udp, tcp, udp)
	if len(out) != 2 || out[0] != tcp || out[1] != tcp {
		t.Errorf("passed %d packets, want the 2 of tcp", len(out))
	}
	if out := b.Process(udp); len(out) != 0 {
		t.Errorf("udp passed the filter tcp")
	}
}

func TestFilterKnowsOnlyPreparedLinkTypes(t *testing.T) {
	b := flibtest.New(t, Library(), "BPF_FILTER", "tcp")
	raw := frame(6, 46)
	raw.Link, raw.LinkType = raw.Link[14:], 12 // raw IP
	if out := b.Process(raw, frame(6, 60)); len(out) != 1 {
		t.Errorf("%d packets passed, want only the one of the known link type", len(out))
	}
	if err := b.Function.(flib.LinkTyper).AddLinkType(t.Context(), 12); err != nil {
		t.Fatal(err)
	}
	if out := b.Process(raw, frame(6, 60)); len(out) != 2 {
		t.Errorf("%d packets passed, want those of both link types", len(out))
	}
}

func TestFilterMatchesNothingWhereItDoesNotApply(t *testing.T) {
	b := flibtest.New(t, Library(), "BPF_FILTER", "vlan")
	const null = 0 // BSD loopback: libpcap has no vlan test for it
	if err := b.Function.(flib.LinkTyper).AddLinkType(t.Context(), null); err != nil {
		t.Errorf("a filter that does not apply must not fail: %v", err)
	}
	p := frame(6, 60)
	p.LinkType = null
	if out := b.Process(p); len(out) != 0 {
		t.Error("packet passed")
	}
}

func TestFilterArguments(t *testing.T) {
	for _, c := range []struct {
		args []any
		want mapierr.Code
	}{
		{nil, mapierr.InvalidArgument1},
		{[]any{int64(5)}, mapierr.InvalidArgument1},
		{[]any{""}, mapierr.InvalidArgument1},
		{[]any{"tcp", "udp"}, mapierr.InvalidArgument2},
		{[]any{"tcp and and"}, mapierr.PcapBPF},
		{[]any{"host no.such.name.example"}, mapierr.PcapBPF},
	} {
		_, err := flibtest.Apply(t, Library(), "BPF_FILTER", c.args...)
		if got := mapierr.CodeOf(err, 0); got != c.want {
			t.Errorf("BPF_FILTER%q gives %v (%v), want %d", c.args, int(got), err, int(c.want))
		}
	}
}

func TestNoAllocationPerPacket(t *testing.T) {
	pkts := []*flib.Packet{frame(6, 60), frame(17, 60)}
	for _, c := range []struct {
		name string
		args []any
	}{
		{"PKT_COUNTER", nil}, {"BYTE_COUNTER", nil}, {"BPF_FILTER", []any{"tcp"}},
		{"SAMPLE", []any{int64(1), int64(2)}}, {"SAMPLE", []any{int64(50), int64(3)}},
		{"STR_SEARCH", []any{"none||E", int64(0), int64(0)}},
	} {
		b := flibtest.New(t, Library(), c.name, c.args...)
		if n := testing.AllocsPerRun(100, func() { b.Function.Process(pkts) }); n != 0 {
			t.Errorf("%s: %v allocations per batch", c.name, n)
		}
	}
}
