package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"gomapi/internal/testnet"
)

const (
	portsSent  = 60_000 // ports that packets are sent to
	maxLibpcap = 1000   // processes of libpcap at a time
)

var portRates = []float64{100, 300, 500, 700, 1000, 2000, 4000, 0} // Mbit/s; 0: as fast as it goes

// livePorts measures many flows on the interface: flow i counts "udp dst port i". The rate
// rises until packets are lost.
func (b *bench) livePorts(ctx context.Context) (t rows) {
	for _, n := range b.portSizes() {
		log.Printf("%d flows on the interface", n)
		m := b.startFlows(ctx, 1, calls, portTasks(n), counters).rest(ctx, testnet.B)
		mapid := b.raise(ctx, b.session(m, toPorts(n, portsSent)))
		libpcap := []string{"none", fmt.Sprintf("not tried: %d processes", n), ""}
		if n <= maxLibpcap {
			p := b.startLibpcap(ctx, portTasks(n))
			libpcap = b.raise(ctx, b.session(p, toPorts(n, portsSent)))[:3]
		}
		t.add(n, mapid, fixed(m.setup.Seconds(), 2), mib(m.memory), libpcap)
	}
	return t
}

// raise raises the rate as long as the subject, which it ends, bears it. It returns the
// highest rate without loss, what was wrong beyond, how idle the processors were, and the ns
// a packet.
func (b *bench) raise(ctx context.Context, s *session) []string {
	defer s.stop()
	cells := []string{"none", "nothing faster to send", "", ""}
	for _, mbit := range portRates {
		r, trouble := s.try(ctx, b.streamOf(mbit))
		if trouble != "" {
			cells[1] = trouble
			break
		}
		cells[0], cells[2] = fixed(r.mbit, 0), fmt.Sprintf("%.0f: %.1f", r.mbit, r.idle)
		cells[3] = fixed(r.ns(), 0)
	}
	return cells
}

// try sends a stream until the subject bears it, three times at most, and says what was
// wrong with the last.
func (s *session) try(ctx context.Context, st stream) (r sample, trouble string) {
	for range 3 {
		r = s.run(ctx, st)
		if trouble = r.trouble(st.mbit); trouble == "" {
			break
		}
	}
	return r, trouble
}

// trouble says what was wrong with a sample at this rate, "" when nothing was.
func (s sample) trouble(mbit float64) string {
	const soon = 300 * time.Millisecond
	kept := (float64(s.arrived) - s.lost) / float64(s.sent)
	switch {
	case kept < 1:
		return fmt.Sprintf("%.0f Mbit/s: %.1f %% lost", s.mbit, 100-100*kept)
	case s.mbit < 0.95*mbit:
		return fmt.Sprintf("%.0f Mbit/s: the sender gets to %.0f", mbit, s.mbit)
	case s.late > soon:
		return fmt.Sprintf("%.0f Mbit/s: %.1f s behind", s.mbit, s.late.Seconds())
	}
	return ""
}
