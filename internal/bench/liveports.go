package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gomapi/internal/bench/plot"
	"gomapi/internal/testnet"
)

// frameSize is that of the paper's packets, in bytes.
const frameSize = 1460

// liveSide is what one side of a row bears.
type liveSide struct {
	most   float64 // Mbit/s without loss
	idle   float64 // percent of the processors' time, at that rate
	cpu    float64 // ns a packet
	setup  float64 // s
	memory uint64
	why    string // what did not go beyond
}

// livePorts measures many flows on the interface: flow i counts the packets and bytes
// of "udp dst port i". The rate rises until packets are lost.
func (b *bench) livePorts(ctx context.Context, ns *testnet.NS) (string, error) {
	r := newRoad(ns)
	t := newTable("flows", "mapid: Mbit/s without loss", "beyond that", "idle at %", "ns a packet", "set up, s", "memory, MiB",
		"libpcap: Mbit/s without loss", "beyond that", "idle at %")
	lines := []plot.Series{{Name: "mapid"}, {Name: "libpcap", Dashed: true}}
	for _, n := range b.flows {
		mapid, err := b.livePortsMapid(ctx, r, n)
		if err != nil {
			return "", fmt.Errorf("%d flows: %w", n, err)
		}
		libpcap := liveSide{why: fmt.Sprintf("not tried: %d processes", n)}
		if n <= b.mostPrograms {
			if libpcap, err = b.livePortsPcap(ctx, r, n); err != nil {
				return "", fmt.Errorf("%d libpcap programs: %w", n, err)
			}
		}
		for i, side := range []liveSide{mapid, libpcap} {
			if side.most > 0 {
				lines[i].Points = append(lines[i].Points, plot.Point{X: side.most, Y: float64(n)})
			}
		}
		t.row(n, mapid.rate(), mapid.why, mapid.idleAt(), mapid.costAt(), fmt.Sprintf("%.2f", mapid.setup), mib(mapid.memory),
			libpcap.rate(), libpcap.why, libpcap.idleAt())
	}
	return section("Many flows on an interface", t,
		"Flow i has BPF_FILTER \"udp dst port i\", PKT_COUNTER, BYTE_COUNTER; frames of %d bytes go to ports 1 to %d in turn, for %v at each rate: %s Mbit/s and as fast as it goes. "+
			"Beside it a libpcap program for each flow, with its filter in the kernel. A rate counts when nothing is lost and all is dealt with 0.3 s later; one try in three is enough. "+
			"Idle: share of all processors' time, the sender's and the kernel's work included, at the rate of which it says so. ns a packet: CPU time of mapid there. All counters are what was sent.",
		frameSize, portsSent, b.streamLength, list(b.rates)) +
		b.chart("flows-live", plot.Chart{Title: "udp dst port i: flows and the rate that they bear without loss",
			X: plot.Axis{Label: "Mbit/s"}, Y: plot.Axis{Label: "flows", Log: true}, Series: lines}), nil
}

func (b *bench) livePortsMapid(ctx context.Context, r road, n int) (s liveSide, err error) {
	progress("%d flows on the interface", n)
	calls := filterCalls(portFilters(n))
	var c *memberCrew
	err = within(ctx, b.limit, func(ctx context.Context) error {
		c, err = b.startMembers(ctx, 1, calls)
		return err
	})
	if errors.Is(err, errSlow) {
		return liveSide{why: "set up: " + err.Error()}, nil
	}
	if err != nil {
		return s, err
	}
	defer c.stop()
	s.setup, s.memory = c.setup.Seconds(), c.memory
	return s, b.raise(ctx, r, &shift{crew: c}, n, &s)
}

func (b *bench) livePortsPcap(ctx context.Context, r road, n int) (s liveSide, err error) {
	progress("%d libpcap programs on the interface", n)
	start := time.Now()
	c, err := b.startPcapCrew(filterTasks(portFilters(n)))
	if err != nil {
		return s, err
	}
	defer c.stop()
	s.setup = time.Since(start).Seconds()
	return s, b.raise(ctx, r, &shift{crew: c}, n, &s)
}

// raise raises the rate as long as the crew bears it.
func (b *bench) raise(ctx context.Context, r road, s *shift, n int, out *liveSide) error {
	ports := newPortLoad()
	st := stream{size: frameSize, frames: datagrams(frameSize), touch: ports.touch, length: b.streamLength}
	for _, st.mbit = range append(append([]float64{}, b.rates...), 0) {
		borne := false
		for try := 0; try < 3 && !borne; try++ {
			w, err := s.carry(ctx, r, st, func(uint64) []uint64 { return ports.sent[1 : n+1] })
			if errors.Is(err, errSlow) {
				out.why = fmt.Sprintf("%.0f Mbit/s: over %.0f s behind", st.mbit, patience.Seconds())
				return nil
			}
			if err != nil {
				return err
			}
			if out.why = w.trouble(st.mbit); out.why == "" {
				borne = true
				out.most, out.idle, out.cpu = w.mbit, w.idle, float64(w.cpu)/float64(w.arrived)
			}
		}
		if !borne {
			return nil
		}
	}
	out.why = "nothing faster to send"
	return nil
}

func (s *liveSide) rate() string {
	if s.most == 0 {
		return "none"
	}
	return fmt.Sprintf("%.0f", s.most)
}

func (s *liveSide) idleAt() string {
	if s.most == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f: %.1f", s.most, s.idle)
}

func (s *liveSide) costAt() string {
	if s.most == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", s.cpu)
}

// portsSent is how many ports packets are sent to.
const portsSent = 60_000

// portLoad gives packets destination ports, and counts them.
type portLoad struct {
	next int
	sent []uint64 // by port
}

func newPortLoad() *portLoad { return &portLoad{sent: make([]uint64, portsSent+1)} }

// touch goes through all ports, neighbours far apart.
func (p *portLoad) touch(frame []byte) {
	const far = 7919 // a prime that does not divide portsSent: all ports come
	p.next = (p.next + far) % portsSent
	port := 1 + p.next
	binary.BigEndian.PutUint16(frame[udpDstPort:], uint16(port))
	p.sent[port]++
}

// list writes numbers as in a sentence.
func list(all []float64) (text string) {
	for i, v := range all {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%.0f", v)
	}
	return text
}
