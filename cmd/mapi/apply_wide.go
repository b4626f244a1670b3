package main

import (
	"fmt"
	"strings"
	"time"

	"gomapi/mapi/result"
)

// Views of results that have no description, see views.

func viewStats(f *applied, b []byte) (view, bool) {
	s, ok := result.ParseStats(b)
	return statistics{s.Count, whole(s.Sum), whole(s.Sum2), s.Min, s.Max, s.Mean(), f.target}, ok
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
