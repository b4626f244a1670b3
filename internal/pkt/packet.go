// Package pkt holds the packet as every part of the daemon sees it: a view of
// captured bytes with the time and the lengths that belong to it (packet.go),
// the conversion between clock time and the time stamps of the API (time.go),
// and the headers inside (Parse in headers.go, typed views in views.go).
//
// A Packet never owns its bytes. Whoever hands it out says how long they last;
// on the capture path that is until the batch is released. Bytes are hostile:
// everything here stays within the captured ones and never allocates.
package pkt

// Flags tell what the driver knows about one packet.
type Flags uint16

const (
	Outgoing     Flags = 1 << iota // sent by this host
	CsumNotReady                   // checksum left to the card: not wrong, not computed yet
	RxError                        // the card reported a damaged frame
	Truncated                      // fewer bytes captured than the wire carried
	VLANRestored                   // tag taken off by the kernel and put back by the driver
	HWTimestamp                    // TS was taken by the card
	GapBefore                      // packets may be missing before this one
	OutOfTime                      // its time is before 1970 or after 2106: TS is the first or the last there is
)

// A Packet is one frame of a batch. Functions must not keep Link or Dev after
// the batch, nor change their bytes.
type Packet struct {
	TS       uint64 // 2^-32 seconds since 1970-01-01 UTC: seconds in the upper half
	Color    uint64 // classification bits of the hardware, 0 if it has none
	Link     []byte // captured bytes, from the link-layer header on; a frame check sequence only where a file has it
	Dev      []byte // record of the capture hardware; nil where the driver has none
	Wire     uint32 // length on the wire in bytes, likewise
	IfIndex  uint16 // port of the adapter or interface number in the file
	LinkType uint16 // DLT of Link: pcapng files mix them
	Flags    Flags
}
