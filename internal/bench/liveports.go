package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
)

const (
	portsSent  = 60_000 // ports that packets are sent to
	maxLibpcap = 1000   // processes of libpcap at a time
)

// livePorts measures many flows on the interface: flow i counts "udp dst port i". The rate
// rises until packets are lost.
func (b *bench) livePorts(ctx context.Context, l link) string {
	t := newTable("flows", "mapid: Mbit/s without loss", "beyond that", "idle at %", "ns a packet", "set up, s", "memory, MiB",
		"libpcap: Mbit/s without loss", "beyond that", "idle at %")
	lines := []series{{name: "mapid"}, {name: "libpcap", dashed: true}}
	for _, n := range b.sizes["liveports"] {
		log.Printf("%d flows on the interface", n)
		m := b.startFlows(ctx, clients{1, n}, concurrency, func(i int) []call { return counters(filter(udpPort(i))) }).rested(ctx)
		cells, cost := b.raise(ctx, &session{link: l, subject: m, traffic: toPorts(n, portsSent)}, n, &lines[0])
		row := append([]any{n}, cells...)
		row = append(row, cost, fixed(m.setup.Seconds(), 2), mib(m.memory))
		if n <= maxLibpcap {
			log.Printf("%d libpcap programs on the interface", n)
			cells, _ = b.raise(ctx, &session{link: l, subject: b.startLibpcap(ctx, n, filterTask(udpPort)), traffic: toPorts(n, portsSent)}, n, &lines[1])
			row = append(row, cells...)
		} else {
			row = append(row, "none", fmt.Sprintf("not tried: %d processes", n), "")
		}
		t.row(row...)
	}
	return section("Many flows on an interface", t,
		"Flow i has BPF_FILTER \"udp dst port i\", PKT_COUNTER, BYTE_COUNTER; frames of %d bytes go to ports 1 to %d in turn, for %v at each rate: %s Mbit/s and as fast as it goes. "+
			"Beside it a libpcap program for each flow, with its filter in the kernel. A rate counts when nothing is lost and all is dealt with 0.3 s later; one try in three is enough. "+
			"Idle: share of all processors' time, the sender's and the kernel's work included, at the rate of which it says so. ns a packet: CPU time of mapid there. All counters are what was sent.",
		frameSize, portsSent, b.streamed, strings.Trim(strings.ReplaceAll(fmt.Sprint(b.rates), " ", ", "), "[]")) +
		b.addChart("flows-live", chart{title: "udp dst port i: flows and the rate that they bear without loss",
			x: axis{label: "Mbit/s", log: true}, y: axis{label: "flows", log: true}, series: lines})
}

// raise raises the rate as long as the subject, which it ends, bears it. It returns the
// highest rate without loss, what was wrong beyond, and how idle the processors were; and
// the ns a packet. The rate is added to the line.
func (b *bench) raise(ctx context.Context, s *session, flows int, line *series) (cells []any, cost string) {
	defer s.stop()
	frames := datagrams(frameSize)
	cells = []any{"none", "nothing faster to send", ""}
	var most sample
	for _, mbit := range append(append([]float64{}, b.rates...), 0) {
		r, trouble := b.try(ctx, s, b.streamOf(frames, mbit))
		if trouble != "" {
			cells[1] = trouble
			break
		}
		most = r
	}
	if most.sent == 0 {
		return cells, ""
	}
	line.add(most.mbit, float64(flows))
	cells[0], cells[2] = fixed(most.mbit, 0), fmt.Sprintf("%.0f: %.1f", most.mbit, most.idle)
	return cells, fixed(most.cpuOfArrived(), 0)
}

// try sends a stream until the subject bears it, three times at most, and says what was
// wrong with the last.
func (b *bench) try(ctx context.Context, s *session, st stream) (r sample, trouble string) {
	for range 3 {
		r, err := s.run(ctx, st)
		if errors.Is(err, errSlow) {
			return r, fmt.Sprintf("%.0f Mbit/s: over %.0f s behind", st.mbit, patience.Seconds())
		}
		check(err)
		if trouble = r.trouble(st.mbit); trouble == "" {
			return r, ""
		}
	}
	return r, trouble
}
