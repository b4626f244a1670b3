// Package drivers is the contract between the daemon's engine and the packet
// sources: network interfaces, capture cards, capture files.
//
// A Driver opens devices by name, a FileDriver opens capture files. The engine
// runs a Device on a goroutine that the engine owns. The device passes packets
// to a Sink in batches. On this path a device does not allocate, lock or log,
// and its only interface call is one Sink call per batch. Devices know nothing
// about flows and functions.
package drivers

import (
	"context"
	"fmt"
	"time"

	"gomapi/internal/foreign"
	"gomapi/internal/pkt"
)

// Packet is a view of one captured frame; see pkt.Packet.
type Packet = pkt.Packet

// MaxBatch is the maximum number of packets in one Sink call. It limits the
// state that the engine keeps per batch, and a batch of packet views stays in
// the cache.
const MaxBatch = pkt.MaxBatch

// MaxSnap is the maximum captured length of a packet in bytes. libpcap uses
// this value for nearly all link types.
const MaxSnap = 262144

// A Sink takes packets from a device.
type Sink interface {
	// Batch takes up to MaxBatch packets in order of arrival. The device calls
	// it on the goroutine of Device.Run, or on one for which Run waits. It may block for file devices only.
	// When it returns, the sink holds no reference to pkts or their bytes.
	Batch(pkts []Packet)
	// Pause is called on the same goroutine when no packet is available, before
	// the device waits for one, also while its interface is removed. It updates
	// the results from the packets so far. If that takes long, because very many
	// flows share the packets equally, some results may be delayed by up to lag.
	//
	// Pause also lets packet time go on. hold is how long a packet may have been
	// under way inside the device: every packet that follows arrived less than
	// hold before this call. If the device cannot tell, hold is negative, and
	// packet time stands still.
	//
	// Pause returns the time at which it must be called again unless a packet
	// arrives before. The device calls it then or a little later, and waits
	// until then. The zero time means that it need not be called: the device
	// sleeps until a packet arrives. A file never calls Pause, because its
	// packet time has nothing to do with a clock.
	Pause(lag, hold time.Duration) time.Time
}

// A Rester is a Sink of a file that shares the processors with other files.
type Rester interface {
	// Rest is called on the goroutine of Run before the device waits for
	// something else than a processor, such as the next part of the file, and
	// Resume when it goes on. Resume waits until it is the device's turn again.
	Rest()
	Resume()
}

// A Driver opens live devices.
type Driver interface {
	// Open prepares the device for capture. Errors carry a MAPI error number
	// (mapierr.Error): 1026 if the capture handle cannot be opened.
	Open(ctx context.Context, c Config) (Device, error)
}

// A FileDriver opens capture files.
type FileDriver interface {
	// OpenFile reads the header of f and rejects unsupported files (6155, with the
	// reason). It reads at explicit positions: it neither uses nor moves the file
	// offset, which f may share with other processes. A read may hang; it then
	// ends for the device with ctx. The device then owns f, even if OpenFile fails.
	OpenFile(ctx context.Context, f *foreign.File) (Device, error)
}

// A Device delivers packets of one interface, card or file.
type Device interface {
	// Info returns what flows need to know before the first packet.
	Info() Info
	// Run captures until ctx ends (nil), the file ends (nil) or the device
	// fails. The removal of an interface is not a failure: Run waits for its
	// return, and Stats reports LinkAbsent meanwhile. Run is called once. It
	// returns within 200 ms after ctx ends, even without packets. It should
	// wait on the runtime's poller and not in a system call, because the
	// runtime's monitor thread stays awake during system calls. A device that
	// changes the state of its thread locks the thread (runtime.LockOSThread)
	// and leaves it locked, so that the thread ends with the goroutine.
	Run(ctx context.Context, s Sink) error
	// Stats may be called from any goroutine, even after Close. Counters never
	// decrease; Waiting, LinkState and LastPacketTS are current values.
	Stats() Stats
	// Close releases the device after Run has returned. It may be called more
	// than once.
	Close() error
}

// A Presence is a Device whose interface can be removed and return.
type Presence interface {
	// Absent reports whether the interface is removed and the device waits for
	// it. It may be called from any goroutine. It makes no system call, because
	// it runs for every new flow.
	Absent() bool
}

// A Gauge is a live Device that knows how much of its room for waiting packets
// is taken. When it fills, the engine looks for flows that take too much time.
type Gauge interface {
	// Fullness returns this in percent. The goroutine of Run calls it, from its
	// Sink, after each batch and at each pause. So it must be cheap: no system
	// call, no lock.
	Fullness() int
}

// A Finder is a Driver that can check whether a device exists.
type Finder interface {
	// Find returns the error that Open would return because the device does not
	// exist, nil if it exists. It captures nothing and may be called from any
	// goroutine.
	Find(c Config) error
}

// Config selects and configures a device. It is the [driver] section of
// mapi.conf.
type Config struct {
	Device string            // the name for clients; for an interface its name
	Params map[string]string // the section's other keys, which only the driver knows
	// Log reports state changes of the device and warnings to people. It may be
	// called from any goroutine, but never per packet. It may be nil.
	Log func(format string, args ...any)
}

// Info describes an open device.
type Info struct {
	DevType  string // node in the tree of device types: "1.3" is a network interface
	LinkType uint16 // DLT of its packets; of the first interface in a file with several link types
	// LinkTypes are the link types that can come if there are several, LinkType
	// first, at most 64; in a file those that are likely. Nil: LinkType is the
	// only one. A filter that is valid for none of them is rejected. A live
	// device announces all of them, because filters are compiled for them before
	// the first packet. It does not wait for the compiler if another one comes:
	// filters let no packets of that link type through until they are compiled.
	LinkTypes []uint16
	Snap      int // maximum captured length, bytes
	// Unordered is set if the times of packets may go back, as in a file that was
	// merged, or in each round of a device that replays. On other devices they
	// go back by microseconds at most, when processors that receive at the same
	// time overtake each other.
	Unordered bool
	// HostClock is set if packets carry the time of this host's clock at their
	// arrival. Then a flow sees no packet that arrived before its connect. On
	// another live device, such as one that replays or whose card sets the time,
	// a flow sees all packets that the device delivers after its connect.
	HostClock bool
}

// Stats are a device's counters since it was opened, and its current state.
type Stats struct {
	// Recv counts the packets that the device saw, including dropped ones. Each
	// of them was delivered to the Sink, or is counted in Drop, Errors, Filtered
	// or Waiting.
	Recv        uint64
	Filtered    uint64 // packets not delivered because a filter that was handed to the device refused them
	Drop        uint64 // packets lost because the daemon was too slow: ring or buffer full
	IfDrop      uint64 // packets lost by the interface before they reached the ring
	IfDropOther uint64 // packets that were lost by the interface or dropped after capture; the interface does not distinguish the two
	Freezes     uint64 // how often the ring was full
	Truncated   uint64 // packets delivered with fewer bytes than the wire carried
	OutOfTime   uint64 // packets before 1970 or after 2106, delivered with the nearest time within that range
	Errors      uint64 // packets, or records of unknown content, that were damaged and could not be delivered

	// SkippedRecords counts records that are no packets or of unknown kind. They
	// do not count in Recv.
	SkippedRecords uint64
	// UnknownLosses counts events by which an unknown number of packets was
	// lost: the source reported a loss without its size. The packets are in no
	// other counter.
	UnknownLosses uint64

	Waiting uint64 // packets received, but neither delivered nor dropped yet
	Reopens uint64 // how often the interface was removed, returned and was reopened

	LinkState    LinkState // current, or at the time of Close
	LastPacketTS uint64    // timestamp of the last delivered packet, as in Packet.TS; 0 before the first
}

// LinkState is the state of the interface that a device captures from.
type LinkState int

// States of an interface.
const (
	LinkUnknown   LinkState = iota // there is no interface, as for a file
	LinkUp                         // packets can arrive
	LinkNoCarrier                  // up, but without cable or peer
	LinkDown                       // taken down by the administrator
	LinkAbsent                     // removed; the device waits for its return
)

// String returns the state as text.
func (l LinkState) String() string {
	switch l {
	case LinkUp:
		return "up"
	case LinkNoCarrier:
		return "no carrier"
	case LinkDown:
		return "down"
	case LinkAbsent:
		return "absent"
	}
	return "unknown"
}

// Format is a capture file format, as in mapi.conf and the API.
type Format int

// Formats of capture files, with the numbers of the original API.
const (
	FormatPCAP     Format = 0 // MFF_PCAP: pcap and pcapng, plain or gzip
	FormatRaw      Format = 1 // MFF_RAW
	FormatERF      Format = 2 // MFF_DAG_ERF
	FormatCombo6   Format = 3 // MFF_COMBO6
	FormatNapatech Format = 4 // MFF_NAPATECH
)

// formatNames are the names of formats in the original API.
var formatNames = [...]string{
	FormatPCAP: "MFF_PCAP", FormatRaw: "MFF_RAW", FormatERF: "MFF_DAG_ERF", FormatCombo6: "MFF_COMBO6", FormatNapatech: "MFF_NAPATECH",
}

// String is the name of the format in the original API.
func (f Format) String() string {
	if f < 0 || int(f) >= len(formatNames) {
		return fmt.Sprintf("format %d", int(f))
	}
	return formatNames[f]
}

// Nodes in the tree of device types.
const (
	TypeAny = "1"   // software: any device
	TypeNIC = "1.3" // network interface, and capture files of one
)

// A Registry maps names to the drivers of a daemon. The zero value is empty and
// ready to use. It is filled before the daemon starts and not changed
// afterwards.
type Registry struct {
	live  map[string]Driver
	files map[Format]FileDriver
}

// Add registers d under name, the original's driver file name without ".so".
func (r *Registry) Add(name string, d Driver) {
	if r.live == nil {
		r.live = make(map[string]Driver)
	}
	r.live[name] = d
}

// AddFormat registers d for files of format f.
func (r *Registry) AddFormat(f Format, d FileDriver) {
	if r.files == nil {
		r.files = make(map[Format]FileDriver)
	}
	r.files[f] = d
}

// Live returns the driver with this name.
func (r *Registry) Live(name string) (Driver, bool) {
	d, ok := r.live[name]
	return d, ok
}

// File returns the driver that reads files of format f.
func (r *Registry) File(f Format) (FileDriver, bool) {
	d, ok := r.files[f]
	return d, ok
}
