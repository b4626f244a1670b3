// Package drivers is the contract between the daemon's engine and what brings
// packets: network interfaces, capture cards, trace files.
//
// A Driver opens devices by name, a FileDriver opens capture files. A Device
// runs on one goroutine that the engine owns; it hands packets to a Sink in
// batches. On that path a device allocates nothing, takes
// no lock, logs nothing and makes no interface call but one Sink call a batch.
// Devices know nothing of flows and functions.
package drivers

import (
	"context"
	"os"
	"time"

	"gomapi/internal/pkt"
)

// Packet is a view of one captured frame; see pkt.Packet.
type Packet = pkt.Packet

// MaxBatch is the largest number of packets in one Sink call. It bounds what
// the engine keeps per batch and lets a batch of packet views stay in cache.
const MaxBatch = pkt.MaxBatch

// MaxSnap is the largest captured length of one packet in bytes, the value
// libpcap uses for nearly all link types.
const MaxSnap = 262144

// A Sink takes packets from a device.
type Sink interface {
	// Batch takes up to MaxBatch packets in order of arrival. It is called on
	// the goroutine that called Device.Run and may block on file devices only.
	// When it returns, the sink holds no reference to pkts or their bytes.
	Batch(pkts []Packet)
	// Pause is called, on the same goroutine, when no packet is at hand, before
	// the device waits for one: results become what the packets have made of them.
	// Where that takes long, as very many flows have an equal part in them, some
	// may stay behind for up to lag; then Pause is to be called again at the time
	// that it returns, if no packet comes before. Else it returns the zero time.
	Pause(lag time.Duration) time.Time
}

// A Driver opens live devices.
type Driver interface {
	// Open makes the device ready to capture. Errors carry a MAPI error number
	// (mapierr.Error), 1026 when the capture handle cannot be opened.
	Open(ctx context.Context, c Config) (Device, error)
}

// A FileDriver opens capture files.
type FileDriver interface {
	// OpenFile reads the head of f, which must be a regular file open for
	// reading, and refuses what it cannot read (6155, with the reason). It
	// reads at positions of its own: the file offset that f shares with other
	// processes is neither used nor moved. The device owns f from here on,
	// also when OpenFile fails.
	OpenFile(ctx context.Context, f *os.File) (Device, error)
}

// A Device brings packets of one interface, card or file.
type Device interface {
	// Info tells what flows need to know before the first packet.
	Info() Info
	// Run captures until ctx ends (nil), the file ends (nil) or the device
	// fails. An interface that vanishes has not failed: Run waits for it to
	// come back, while Stats says LinkAbsent. It is called once. After the end
	// of ctx it returns within 200 ms, also when no packet comes. It should wait
	// on the runtime's poller, not in a system call: the monitor of the runtime
	// stays awake for each of those. A device that changes its thread locks it
	// (runtime.LockOSThread) and leaves it so, to end with the goroutine.
	Run(ctx context.Context, s Sink) error
	// Stats may be called from any goroutine, also after Close. Counters only
	// grow; Waiting, LinkState and LastPacketTS tell what is now.
	Stats() Stats
	// Close releases the device after Run has returned. Twice is fine.
	Close() error
}

// A Presence is a Device whose interface can go away and come back.
type Presence interface {
	// Absent reports whether it is away and waited for. It may be called from
	// any goroutine, for every new flow: it costs no system call.
	Absent() bool
}

// A Finder is a Driver that can tell whether a device is there.
type Finder interface {
	// Find returns the error of Open when the device of that name is not there,
	// nil when it is. It captures nothing and may be called from any goroutine.
	Find(c Config) error
}

// Config says which device to open. It is the [driver] section of mapi.conf.
type Config struct {
	Device string            // the name clients use; for interfaces their name
	Params map[string]string // the section's further keys, for the driver alone
	// Log takes changes of the device's state and warnings, for people. It may
	// be called from any goroutine, never for packets. It may be nil.
	Log func(format string, args ...any)
}

// Info describes an open device.
type Info struct {
	DevType  string // place in the tree of device types: "1.3" is a network interface
	LinkType uint16 // DLT of its packets; of the first interface in a file that mixes them
	// LinkTypes are those that packets of a file that can mix them are likely to
	// have, LinkType first: a filter that is for none of them is refused. Nil:
	// LinkType is the only one.
	LinkTypes []uint16
	Snap      int // largest captured length, bytes
}

// Stats are a device's counters since it was opened, and its state.
type Stats struct {
	// Recv are packets that the device saw, dropped ones included. Each was
	// delivered to the Sink, or is in Drop, Errors or Waiting.
	Recv        uint64
	Drop        uint64 // packets lost because the daemon was too slow: ring or buffer full
	IfDrop      uint64 // packets lost by the interface before they reached the ring
	IfDropOther uint64 // packets of which the interface does not tell whether it lost them or they were dropped after they were captured
	Freezes     uint64 // times that the ring was full
	Truncated   uint64 // packets delivered with fewer bytes than the wire carried
	OutOfTime   uint64 // packets delivered with a time that is not theirs, as that is before 1970 or after 2106
	Errors      uint64 // records that could not be delivered
	Waiting     uint64 // packets received and neither delivered nor given up yet
	Reopens     uint64 // times that the interface vanished, came back and was opened again

	LinkState    LinkState // now, or when the device was closed
	LastPacketTS uint64    // time stamp of the packet delivered last, as in Packet.TS; 0 before the first
}

// LinkState is the state of the interface that a device captures from.
type LinkState int

// States of an interface.
const (
	LinkUnknown   LinkState = iota // there is none, as for a file
	LinkUp                         // packets can come
	LinkNoCarrier                  // up, but the cable or the other end is missing
	LinkDown                       // taken down by the administrator
	LinkAbsent                     // removed; the device waits for it to come back
)

// String returns the state in words.
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

// Format names a capture file format as mapi.conf and the API do.
type Format int

// Formats of capture files, with the numbers of the original API.
const (
	FormatPCAP     Format = 0 // MFF_PCAP: pcap and pcapng, plain or gzip
	FormatRaw      Format = 1 // MFF_RAW
	FormatERF      Format = 2 // MFF_DAG_ERF
	FormatCombo6   Format = 3 // MFF_COMBO6
	FormatNapatech Format = 4 // MFF_NAPATECH
)

// Places in the tree of device types.
const (
	TypeAny = "1"   // software: any device
	TypeNIC = "1.3" // network interface, and the capture files that stand for one
)

// A Registry names the drivers of a daemon. The zero value is empty and ready.
// It is filled before the daemon starts and only read afterwards.
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

// Live returns the driver of that name.
func (r *Registry) Live(name string) (Driver, bool) {
	d, ok := r.live[name]
	return d, ok
}

// File returns the driver that reads files of format f.
func (r *Registry) File(f Format) (FileDriver, bool) {
	d, ok := r.files[f]
	return d, ok
}
