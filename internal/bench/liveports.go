package main

import (
	"context"
	"fmt"

	"gomapi/internal/testnet"
)

const (
	portsSent  = 60_000 // ports that packets are sent to
	maxLibpcap = 1000   // processes of libpcap at a time
)

var portRates = []float64{100, 300, 500, 700, 1000, 2000, 4000, 0} // Mbit/s; 0: as fast as it goes

// livePorts measures many flows on the interface: flow i counts "udp dst port i". The rate
// rises until packets are lost.
func (b *bench) livePorts(ctx context.Context) *table {
	t := newTable("Many flows on an interface", "flows | mapid: Mbit/s without loss | beyond that | idle at % | "+
		"ns a packet | set up, s | memory, MiB | libpcap: Mbit/s without loss | beyond that | idle at %")
	t.text = fmt.Sprintf("Flow i has BPF_FILTER \"udp dst port i\", PKT_COUNTER, BYTE_COUNTER; frames of %d bytes go to "+
		"ports 1 to %d in turn, for %v at each rate: 100, 300, 500, 700, 1000, 2000, 4000 Mbit/s and as fast as it goes. "+
		"Beside it a libpcap program for each flow, with its filter in the kernel. A rate counts when nothing is lost and "+
		"all is dealt with 0.3 s later; one try in three is enough. Idle: share of all processors' time, the sender's and "+
		"the kernel's work included, at the rate of which it says so. ns a packet: CPU time of mapid there. All counters "+
		"are what was sent.", frameSize, portsSent, b.stream)
	t.charts = []chart{{file: "flows-live", title: "udp dst port i: the rate that flows bear without loss",
		y: "Mbit/s", columns: [2]int{1, 7}}}
	calls := func(i int) []call { return counters(filter(udpPort(i))) }
	task := func(i int) string { return filterTask(udpPort(i)) }
	for _, n := range b.portSizes() {
		m := b.startFlows(ctx, clients{1, n}, concurrency, calls).rest(ctx, testnet.B)
		mapid := b.raise(ctx, b.session(m, toPorts(n, portsSent)))
		libpcap := []string{"none", fmt.Sprintf("not tried: %d processes", n), ""}
		if n <= maxLibpcap {
			libpcap = b.raise(ctx, b.session(b.startLibpcap(ctx, n, task), toPorts(n, portsSent)))[:3]
		}
		t.row(n, mapid, fixed(m.setup.Seconds(), 2), mib(m.memory), libpcap)
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
		if trouble = r.trouble(st.mbit); trouble == "" || r.slow {
			break
		}
	}
	return r, trouble
}
