// Package flib is the contract between the daemon's engine and the functions that are
// applied to flows.
//
// A function consists of a Def, which is plain data with a constructor, and a Function,
// the instance that processes packets. The info calls, the argument checks, the
// documentation and the C library take everything from the Def.
//
// The engine calls an instance in this order: New (apply), Start (connect), any number of
// Process, Expire and Reset calls, End (the device has ended, or the flow is being closed),
// Close (the flow is closed, connected or not). New, Start and Close run on control goroutines. Between Start and
// Close all other calls come from one goroutine at a time, so an instance needs no lock.
// Optional methods are the small interfaces below. The engine looks for them once, when
// the function is applied, never per packet.
package flib

import (
	"context"
	"math"
	"sync/atomic"

	"gomapi/internal/books"
	"gomapi/internal/bpf"
	"gomapi/internal/content"
	"gomapi/internal/pkt"
	"gomapi/internal/ring"
	"gomapi/internal/shm"
	"gomapi/internal/table"
)

// Packet is a view of one captured frame; see pkt.Packet.
type Packet = pkt.Packet

// Result is the memory into which an instance writes its result; see shm.Slot.
type Result = shm.Slot

// Ring is the buffer into which an instance puts packets for its reader; see ring.Writer.
type Ring = ring.Writer

// Def describes one function.
type Def struct {
	Name        string // upper case, as programs write it
	Description string // one or two sentences for people
	Args        []Arg
	// ExtraArgs says that surplus arguments are ignored, not refused.
	ExtraArgs bool
	// DevType is the place in the tree of device types for which the function is made.
	// Empty means any device.
	DevType string
	// Filters says that the function may drop packets from the flow.
	Filters bool
	// Modifies says that the function changes packets. From the first such function on,
	// the flow works on private copies.
	Modifies bool
	// Emits says that the function emits packets: its own, or some that it was given. See
	// Function.Process.
	Emits bool
	// Result describes the value that ReadResults returns, with its unit. It is empty if
	// the function has no result.
	Result string
	// Fields are the layout of the result, or of an entry of a series, for programs that
	// show results of functions that they do not know. It is empty if data cannot say it.
	Fields []Field
	// Text is the result as text. {name} is the value of a field with its unit, {#name} the
	// value alone, or the number of rows. [a|b] is a if the fields in it have values,
	// otherwise b. Empty: the names of the fields with their values.
	Text string
	// Example is a call in Go.
	Example string
	// Call is Example as text; see package funccall. @1 is the first function to which it
	// refers.
	Call string
	// New checks the arguments and creates an instance. It may request memory from env,
	// but starts nothing. An error carries its number (mapierr); an error without one
	// becomes 7006.
	New func(ctx context.Context, env Env, args Args) (Function, error)
}

// Function is an instance of a function in one flow.
type Function interface {
	// Process takes the packets that reached the function, oldest first and at least one,
	// and returns those that go on to the next function: in itself, a part of it, or a
	// list that the instance owns and that is valid until the next call. Process does not
	// change or keep in, and does not keep the packets. It does not allocate, lock, log
	// or wait.
	//
	// A function that emits (Def.Emits) may return any packets, at most MaxList at a time.
	// Those that are its own belong to it and are valid until the next call. Their Wire is
	// at least the length of Link. Process is then called with an empty list until it
	// returns none; until then the packets that it was given stay valid. In the books all
	// packets that it was given are taken, and all that it returns are emitted.
	//
	// A function that panics or returns something else ends its flow with 7007, and all
	// other flows for which this instance runs.
	Process(in []*Packet) []*Packet
}

// A Starter does something at connect, before the first packet. If it returns an error,
// connect fails with the number of the error (7007 without one). Stop is then called for
// the functions of the flow that were started. A later connect may call Start again.
type Starter interface {
	Start() error
	Stop()
}

// A Closer releases what New and Start acquired and flushes its files before it returns.
// Close is called once for every instance that New created, after the last Process.
type Closer interface{ Close() error }

// An Interrupter may wait in Process, see Env.Park. Interrupt ends that wait and prevents
// all later ones. A control goroutine calls it before the flow is closed, possibly more
// than once.
type Interrupter interface{ Interrupt() }

// A CounterSource stores packets somewhere and counts where. Each packet that reached it
// is counted in one line of out. The names of the lines are those of package books. Any
// goroutine may call Books, from New on, also after Close.
type CounterSource interface {
	// out is nil if the function only counts something else, in notes.
	Books() (out, notes []books.Line)
}

// An Expirer acts when packet time reaches a moment.
type Expirer interface {
	// Deadline returns the moment, in packet time, at which Expire is next wanted, NoDeadline
	// for none. It can change only during a call of Process, Expire or End, after which the
	// engine asks again. A moment that has passed, such as 0, calls Expire after each batch.
	Deadline() uint64
	// Expire is called when packet time, now, has reached the deadline: after a batch of the
	// device, even if no packet of it reached the function, and in lockstep before the
	// packet. now is the newest time so far. While a live device delivers nothing, packet time
	// goes on with the monotonic clock; that of a file is only that of its packets. A
	// function that emits may return packets. Expire is then called until it returns none.
	Expire(now uint64) []*Packet
}

// NoDeadline is the deadline of a function that waits for nothing.
const NoDeadline = math.MaxUint64

// Limits of the packets that a function emits. One that exceeds them ends its flow with 7007.
const (
	MaxList    = pkt.MaxBatch // packets per call
	MaxEmitted = 16 << 20     // captured bytes of a packet
)

// A Finisher is told that no packet will follow: the device has ended, or the flow is being
// closed. It comes before Close, once, if the loop has begun the flow: on a silent device a flow
// may be closed before. A function that emits may return packets. End is then
// called until it returns none. If the flow is being closed, a control goroutine calls End.
type Finisher interface{ End() []*Packet }

// A Publisher has a result that is too large to be written for each batch. Publish writes it.
// The engine calls it, if the function has run since, when a live device pauses, every 64
// batches, at the end of the device, and before a function of the same device reads the
// result.
type Publisher interface{ Publish() }

// A Resetter can return to the state and result of a new instance. Other functions
// request this with Ref.Reset; reading a result never resets it.
type Resetter interface{ Reset() }

// A Predecessor must run before the functions that it reads, so that their results do not
// include the current packet. The engine places it before the earliest of them in its own
// flow and ignores those in other flows. Precedes is called at connect.
type Predecessor interface{ Precedes() []*Ref }

// A LinkTyper prepares for each link type of the device. AddLinkType is called for the
// known link types before Start. For those that appear later it is called between packets if
// the device is a capture file, and from another goroutine, while Process may run, if it is
// live.
type LinkTyper interface {
	AddLinkType(ctx context.Context, linkType uint16) error
}

// A Classifier is a filter that depends only on the packet's bytes and length. If it is
// the first function of its flow, the engine decides it together with all others of the
// device and does not call Process.
type Classifier interface {
	// Program returns the filter for a link type that was passed to AddLinkType, nil if
	// nothing of that type can match. Any goroutine may call it, also while AddLinkType
	// runs.
	Program(linkType uint16) *bpf.Program
}

// A Searcher is a filter that passes exactly the packets whose captured bytes contain a
// pattern. The engine may search for the patterns of all flows of the device at once and
// then does not call Process.
type Searcher interface {
	// Pattern returns the pattern, which never changes. Any goroutine may call it.
	Pattern() *content.Pattern
}

// An Accumulator adds up one number per packet and passes all packets on. The number
// depends only on the packet and the arguments. The result is the sum. For instances with
// equal arguments that see the same packets, Sum is called once. The engine adds its
// value to the Total of each instance, later than Process would, but before a reader can
// notice. Sum changes nothing and may be called after Close. Total returns the word of
// the result, always the same one, until Close. The word may be set meanwhile.
type Accumulator interface {
	Sum(in []*Packet) uint64
	Total() *atomic.Uint64
}

// Env is the part of the engine that a constructor can use.
type Env interface {
	// NewResult reserves size bytes, at least one, for the result of the instance. The
	// memory is zero, and the flow's owner can read it. An instance has at most one
	// result.
	NewResult(size int) (*Result, error)
	// NewRing creates a ring of at least size bytes, through which the flow's owner
	// receives packets. An instance has at most one ring, which the engine closes after
	// the instance. A write may wait (WriteWait) if the device is not live.
	NewRing(size int) (*Ring, error)
	// NewSeries creates a series of entries of size bytes. The flow's owner reads them
	// one by one; at least the newest n are kept. A series is a special kind of ring: the
	// instance uses Append, Flush and End.
	NewSeries(size, n int) (*Ring, error)
	// NewRecords creates a ring of at least size bytes, through which the flow's owner
	// receives records, data of any length and kind. It takes the place of NewRing.
	NewRecords(size int) (*Records, error)
	// Refer finds function fid of the client's flow fd, which must have a permanent
	// result. The error carries no number for programs, because only the caller knows
	// which argument was wrong.
	Refer(fd, fid int32) (*Ref, error)
	// ReferFlow finds the client's flow fd, which may be the instance's own.
	ReferFlow(fd int32) (*FlowRef, error)
	// Quota charges memory to the flow's user: tables (see NewTable), and whatever an instance
	// has beyond some hundred bytes, its result, its texts and its ring. Any goroutine may use
	// it, until the instance is closed, which gives back what is left.
	Quota() table.Quota
	// AtClose makes the engine call f after the instance is closed, or if New fails.
	AtClose(f func())
	// Analyser returns the marks of the device's analyser with this key, which make makes if
	// there is none. The key has the name of the library in front, "lib.name".
	Analyser(key string, make func() (Analyser, error)) (*Marks, error)
	// Live reports whether the device continues while a function waits. On such a device
	// packets would be lost, so no function may wait. Capture files wait.
	Live() bool
	// Park calls wait from within Process, on a device that is not live. wait may wait
	// for a client. Meanwhile other flows of the device can be closed. The instance must
	// be an Interrupter.
	Park(wait func())
	// LinkType is the DLT of the device's packets, or of the first packet in a file with
	// several link types.
	LinkType() uint16
	// LinkTypes are the link types that can come from the device, or the likely ones in a
	// file with several, LinkType first.
	LinkTypes() []uint16
	// Compile compiles a tcpdump expression. A hostile expression may take seconds.
	// Errors carry 1025.
	Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error)
}
