// Package flib is the contract between the daemon's engine and the functions
// that are applied to flows.
//
// A function is a Def, plain data with a constructor, plus a Function, the
// instance that sees packets. Everything that the info calls, the argument
// checks, the documentation and the C library know of a function comes from
// its Def and is written nowhere else.
//
// An instance lives through New (apply), Start (connect), any number of
// Process, Expire and Reset calls, End (the device has ended) and Close (the
// flow is closed, connected or not). New, Start and Close run on control
// goroutines; between Start and Close every other call comes from one goroutine
// at a time, so an instance needs no lock. Powers beyond Process are the small
// interfaces below, looked for once when the function is applied, never per
// packet.
package flib

import (
	"context"
	"sync/atomic"

	"gomapi/internal/books"
	"gomapi/internal/bpf"
	"gomapi/internal/content"
	"gomapi/internal/pkt"
	"gomapi/internal/ring"
	"gomapi/internal/shm"
)

// Packet is a view of one captured frame; see pkt.Packet.
type Packet = pkt.Packet

// Result is where an instance writes what its readers see; see shm.Slot.
type Result = shm.Slot

// Ring is where an instance puts packets for its reader; see ring.Writer.
type Ring = ring.Writer

// Def describes one function.
type Def struct {
	Name        string // upper case, as programs write it
	Description string // one or two sentences for people
	Args        []Arg
	// ExtraArgs says that surplus arguments are ignored instead of refused.
	ExtraArgs bool
	// DevType is the place in the tree of device types that the function is
	// made for; empty means any device.
	DevType string
	// Filters says that the function may hold packets back.
	Filters bool
	// Modifies says that the function changes packets: from the first such
	// function on, the flow works on private copies.
	Modifies bool
	// Result tells what ReadResults gives, with its unit; empty when the
	// function has no result.
	Result string
	// Example is a call as a Go program writes it.
	Example string
	// New checks the arguments and makes an instance. It may ask env for
	// memory; it starts nothing. An error carries its number (mapierr); one
	// without becomes 7006.
	New func(ctx context.Context, env Env, args Args) (Function, error)
}

// Function is an instance of a function in one flow.
type Function interface {
	// Process takes packets that reached the function, oldest first, and
	// returns those that go on to the next one: in itself, a part of it, or a
	// list of the instance's own, valid until the next call. It neither
	// changes nor keeps in, nor keeps the packets. It is called with at least
	// one packet, does not allocate, lock, log or wait.
	Process(in []*Packet) []*Packet
}

// A Starter does something at connect, before the first packet. An error makes
// connect fail with its number (7007 without one); then Stop is called for the
// functions of the flow that were started, and a later connect may call Start
// again.
type Starter interface {
	Start() error
	Stop()
}

// A Closer releases what New and Start acquired and returns when that is done,
// with files flushed. It is called once for every instance that New has made,
// after the last Process.
type Closer interface{ Close() error }

// An Interrupter may wait in Process, see Env.Park. Interrupt ends that, now and
// for all later calls. It comes from a control goroutine before the flow is
// closed, and may come more than once.
type Interrupter interface{ Interrupt() }

// A CounterSource puts packets somewhere, and keeps books of where. Each packet
// that reached it is in one of the lines of out; names are those of package
// books. Books may be called from any goroutine, from New to Close and after it.
type CounterSource interface {
	Books() (out, notes []books.Line)
}

// An Expirer acts on the passing of packet time. Expire is called after each
// batch of the device, also when no packet of it reached the function, with
// the time of the newest packet so far. What it returns goes on to the next
// function, as from Process.
type Expirer interface{ Expire(now uint64) []*Packet }

// A Finisher is told that the device has ended and no packet will follow. What
// it returns goes on to the next function, as from Process.
type Finisher interface{ End() []*Packet }

// A Resetter can go back to the state and result of a fresh instance. Other
// functions ask for it (Ref.Reset); reading a result never does.
type Resetter interface{ Reset() }

// A Predecessor reads functions that it wants to run before, so that it sees
// their results without the packet that it is given. The engine places it before
// the earliest of them in its own flow; those in other flows do not matter.
// Precedes is called at connect.
type Predecessor interface{ Precedes() []*Ref }

// A LinkTyper needs to prepare for each link type of the device. AddLinkType
// is called before Start for the known ones and between batches for those that
// a capture file brings later.
type LinkTyper interface {
	AddLinkType(ctx context.Context, linkType uint16) error
}

// A Classifier is a filter that depends on the packet's bytes and length
// alone. When it comes first in its flow, the engine decides it together with
// all others of the device and does not call Process.
type Classifier interface {
	// Program returns the filter for a link type that AddLinkType has seen,
	// nil when nothing of that type can match. It may be called from any
	// goroutine, also while AddLinkType runs.
	Program(linkType uint16) *bpf.Program
}

// A Searcher is a filter that passes exactly the packets in which a pattern is
// found and depends on their captured bytes alone. The engine may search for the
// patterns of all flows of the device at once and not call Process.
type Searcher interface {
	// Pattern returns what is searched for. It never changes. It may be called
	// from any goroutine.
	Pattern() *content.Pattern
}

// An Accumulator adds up one number per packet, which depends on that packet and the
// arguments alone, and lets all packets through. Its result is the sum. Instances
// with equal arguments that see the same packets have one Sum done for all of them,
// which is added to the Total of each, later than with Process, but before it would be
// missed. Sum changes nothing and may be called after Close. Total is the word of the
// result, always the same, until Close; it may be set meanwhile.
type Accumulator interface {
	Sum(in []*Packet) uint64
	Total() *atomic.Uint64
}

// Env is what the engine offers to a constructor.
type Env interface {
	// NewResult reserves size bytes of result for the instance, at least one,
	// zero, in the memory that the flow's owner reads. One result per instance.
	NewResult(size int) (*Result, error)
	// NewRing makes a ring of at least size bytes through which the flow's owner
	// gets packets. One ring per instance; the engine closes it after the
	// instance. Writing to it may wait (WriteWait) where the device is not live.
	NewRing(size int) (*Ring, error)
	// NewSeries makes a series of entries of size bytes through which the flow's
	// owner gets them one by one, the newest n at least. It is a ring of its own
	// kind: Append, Flush and End are for the instance.
	NewSeries(size, n int) (*Ring, error)
	// Refer finds function fid of the client's flow fd, which must have a result
	// that stays. The error carries no number that is fit for programs: it is
	// up to the function which argument was wrong.
	Refer(fd, fid int32) (*Ref, error)
	// ReferFlow finds the client's flow fd, which may be the instance's own.
	ReferFlow(fd int32) (*FlowRef, error)
	// Live reports whether the device goes on while a function waits: then
	// packets are lost, and no function may wait. Capture files wait.
	Live() bool
	// Park calls wait, which may wait for a client, out of Process on a device
	// that is not live. Meanwhile other flows of the device can be closed. The
	// instance is an Interrupter.
	Park(wait func())
	// LinkType is the DLT of the device's packets, or of the first in a file
	// that mixes them.
	LinkType() uint16
	// LinkTypes are those that packets of the device have, or are likely to have in
	// a file that mixes them, LinkType first.
	LinkTypes() []uint16
	// Compile makes a program of a tcpdump expression. It may take seconds
	// for a hostile expression; errors carry 1025.
	Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error)
}
