package flib

import "gomapi/internal/pkt"

// An Analyser sees every packet of a device, once for all flows, before the flows do. What it
// finds out about a packet it leaves as a mark, on which functions decide. There is one per
// device and key, as long as some instance asks for it (Env.Analyser). It sees the packets
// that come while a flow is connected. It may also be a Closer.
type Analyser interface {
	// Analyse takes the packets of a batch, oldest first. marks[i] is 0 and may be set for
	// pkts[i]. Analyse does not change or keep the packets or the marks. It does not
	// allocate, lock, log or wait. If it panics, all flows that ask for it end with 7007.
	Analyse(pkts []Packet, marks []uint8)
}

// Marks has the marks of an analyser for the batch under way. Of returns the mark of a packet;
// copies of packets and packets that functions emit have none, which is 0. Only Process of an
// instance that has asked for the analyser may call it.
type Marks = pkt.Marks

// Stateless says that a filter decides only by the packet, its mark and the arguments.
// Instances with equal arguments that see the same packets then share one, whose Process may be
// called after its own flow is closed. One that has something to close is not shared.
type Stateless interface{ Stateless() }
