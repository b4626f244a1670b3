// Package pkt defines a packet for all parts of the daemon: a view of captured
// bytes with its time and lengths (packet.go), the conversion between clock
// time and the timestamps of the API (time.go), and the headers of a packet
// (Parse in headers.go, typed views in views.go).
//
// A Packet never owns its bytes. The code that supplies it defines how long
// they are valid; on the capture path that is until the batch is released. The
// bytes are hostile: all code here stays within the captured bytes and never
// allocates.
package pkt

// Flags are what the driver knows about one packet.
type Flags uint16

const (
	Outgoing     Flags = 1 << iota // sent by this host
	CsumNotReady                   // the card computes the checksum: not wrong, but not computed yet
	RxError                        // the card reported a damaged frame
	Truncated                      // fewer bytes captured than on the wire
	VLANRestored                   // the kernel stripped the tag and the driver restored it
	HWTimestamp                    // TS is from the card
	GapBefore                      // packets may be missing before this one
	OutOfTime                      // its time is before 1970 or after 2106: TS is the first or last possible timestamp
)

// A Packet is one frame of a batch. Functions must not keep Link or Dev after
// the batch, nor change their bytes.
type Packet struct {
	TS       uint64 // 2^-32 seconds since 1970-01-01 UTC: seconds in the upper half
	Color    uint64 // classification bits of the hardware; 0 if it has none
	Link     []byte // captured bytes, starting with the link-layer header; includes a frame check sequence only if the file does
	Dev      []byte // record of the capture hardware; nil if the driver has none
	Wire     uint32 // length on the wire in bytes; includes a frame check sequence only if the file does
	IfIndex  uint16 // port of the adapter or interface number in the file
	LinkType uint16 // DLT of Link; it may differ between packets of a pcapng file
	Flags    Flags
}
