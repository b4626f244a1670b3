package main

import (
	"fmt"
	"strings"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// Views of results with several numbers.

func viewStats(f *applied, b []byte) (view, bool) {
	s, ok := result.ParseStats(b)
	return statistics{s.Count, whole(s.Sum), whole(s.Sum2), s.Min, s.Max, s.Mean(), f.unit}, ok
}

// statistics describe a set of values of one unit.
type statistics struct {
	Values  uint64  `json:"values"`
	Sum     any     `json:"sum"` // exact if it fits a uint64, else the nearest float64
	Squares any     `json:"sum_of_squares"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Mean    float64 `json:"mean"`
	Unit    string  `json:"unit,omitempty"`
}

func (s statistics) String() string {
	return fmt.Sprintf("%s, sum %s, sum of squares %v, min %.15g, max %.15g, mean %.6g",
		counted(s.Values, "values"), counted(s.Sum, s.Unit), s.Squares, s.Min, s.Max, s.Mean)
}

// whole returns the number as an integer if it fits a uint64.
func whole(w result.Wide) any {
	if n, ok := w.Uint64(); ok {
		return n
	}
	return w.Float64()
}

func viewDist(f *applied, b []byte) (view, bool) {
	d, ok := result.ParseDist(b)
	return distribution{d.Min, d.Max, f.unit, d.Counts}, ok
}

// distribution counts packets by value: one count for each interval from min to
// max, and a last count for greater values.
type distribution struct {
	Min    uint64   `json:"min"`
	Max    uint64   `json:"max"`
	Unit   string   `json:"unit,omitempty"`
	Counts []uint64 `json:"counts"`
}

func (d distribution) String() string {
	return fmt.Sprintf("packets in %s from %d to %s, and above: %s",
		counted(len(d.Counts)-1, "intervals"), d.Min, counted(d.Max, d.Unit), strings.Trim(fmt.Sprint(d.Counts), "[]"))
}

func viewStartStop(_ *applied, b []byte) (view, bool) {
	s, ok := result.ParseStartStop(b)
	return startStop{momentOf(s.First), momentOf(s.FirstPassed), momentOf(s.Last)}, ok
}

// startStop has times of packets, nil for none.
type startStop struct {
	First  *time.Time `json:"first"`
	Passed *time.Time `json:"first_passed"`
	Last   *time.Time `json:"last_passed"`
}

func (s startStop) String() string {
	return fmt.Sprintf("first packet %s, first passed %s, last passed %s", words(s.First), words(s.Passed), words(s.Last))
}

func viewBurst(_ *applied, b []byte) (view, bool) {
	list, ok := result.ParseBurst(b)
	found := bursts{Categories: []category{}}
	for i, c := range list {
		if c.Bursts > 0 || c.Gaps > 0 {
			found.Categories = append(found.Categories, category{i, c.Bytes, c.Packets, c.Bursts, c.GapBytes, c.Gaps})
		}
	}
	return found, ok
}

// bursts are the size categories that contain a burst or a gap.
type bursts struct {
	Categories []category `json:"categories"`
}

// category is a result.BurstCategory with its index.
type category struct {
	Category int    `json:"category"`
	Bytes    uint64 `json:"bytes"`
	Packets  uint64 `json:"packets"`
	Bursts   uint64 `json:"bursts"`
	GapBytes uint64 `json:"gap_bytes"`
	Gaps     uint64 `json:"gaps"`
}

func (b bursts) String() string {
	if len(b.Categories) == 0 {
		return "no bursts or gaps"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s with bursts or gaps\n", counted(len(b.Categories), "categories"))
	tab := newTable(&text, "    ", "CATEGORY", "BYTES", "PACKETS", "BURSTS", "GAP BYTES", "GAPS")
	for _, c := range b.Categories {
		tab.row(c.Category, c.Bytes, c.Packets, c.Bursts, c.GapBytes, c.Gaps)
	}
	_ = tab.flush() // writes to memory, cannot fail
	return strings.TrimSuffix(text.String(), "\n")
}

func viewBucket(f *applied, b []byte) (view, bool) {
	e, ok := result.ParseBucket(b)
	return noted{e.Time().Local(), e.Value, f.unit}, ok
}

// noted is a result at one point in time.
type noted struct {
	At    time.Time `json:"at"`
	Value uint64    `json:"value"`
	Unit  string    `json:"unit,omitempty"`
}

func (n noted) String() string { return words(&n.At) + " " + counted(n.Value, n.Unit) }

func viewThreshold(f *applied, b []byte) (view, bool) {
	e, ok := result.ParseThreshold(b)
	v := event{At: e.Time().Local(), Value: e.Int(), Unit: f.unit}
	// Increases within a window and differences are signed.
	typ, boundary := f.arg(0), f.arg(4)
	if typ&^uint64(mapi.ThresholdPoll) == uint64(mapi.ThresholdUint64) && boundary <= uint64(mapi.BoundaryBelow) {
		v.Value = e.Value
	}
	if e.Remaining != result.Unlimited {
		v.Remaining = &e.Remaining
	}
	return v, ok
}

// event is the moment when a value met a boundary.
type event struct {
	At        time.Time `json:"at"`
	Value     any       `json:"value"` // uint64 or int64
	Unit      string    `json:"unit,omitempty"`
	Remaining *int32    `json:"remaining,omitempty"` // events that may follow; nil if unlimited
}

func (e event) String() string {
	text := words(&e.At) + " " + counted(e.Value, e.Unit)
	if e.Remaining != nil {
		text += fmt.Sprintf(", at most %d more", *e.Remaining)
	}
	return text
}

func viewSample(_ *applied, b []byte) (view, bool) {
	s, ok := result.ParseHashSample(b)
	v := sample{
		At: result.PktInfo(s.TS).Time().Local(), Source: s.Source().String(), Destination: s.Destination().String(),
		Protocol: s.Proto, Seq: s.Seq, Flags: flagNames(s.Flags), IPv6: s.IPv6,
	}
	return v, ok
}

// sample is what HASHSAMP keeps of a packet's headers.
type sample struct {
	At          time.Time `json:"at"`
	Source      string    `json:"source"` // address and port; IPv6 addresses are folded
	Destination string    `json:"destination"`
	Protocol    uint8     `json:"protocol"`
	Seq         uint32    `json:"seq"`   // TCP only
	Flags       string    `json:"flags"` // TCP only
	IPv6        bool      `json:"ipv6,omitempty"`
}

const protoTCP = 6

func (s sample) String() string {
	text := fmt.Sprintf("%s %s > %s protocol %d", words(&s.At), s.Source, s.Destination, s.Protocol)
	if s.Protocol == protoTCP {
		text += fmt.Sprintf(" seq %d flags %s", s.Seq, s.Flags)
	}
	if s.IPv6 {
		text += " (IPv6, addresses folded)"
	}
	return text
}

// flagNames lists the flags that are set.
func flagNames(flags result.SampleFlags) string {
	var names []string
	for i, name := range []string{"SYN", "ACK", "RST", "FIN", "PSH"} { // in the order of the bits, from result.SampleSYN
		if flags>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}
