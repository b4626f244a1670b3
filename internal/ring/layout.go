package ring

import "sync/atomic"

// A ring is two memory files and a pair of connected stream sockets. All words
// are 64 bit in host order, 8-byte aligned, and loaded and stored atomically.
//
// The data file is written by the daemon only: a head of headSize bytes, then
// the ring, whose size is a power of two. The reader page is written by the
// client only. Positions count bytes since the ring was made and never wrap; a
// position's place in the ring is its remainder by the size of the ring.
//
// Records lie in the ring one after the other from the read position to the
// writer's position. Each begins at a multiple of 8 and is unbroken: where the
// rest of the ring, up to its end, is too small for a record, it is skipped. A
// rest of 24 bytes or more then says so, with skip for a length; less holds no
// record head and is skipped without a mark.
//
//	0      8  10 12   16   20
//	| ts   |if|lt|cap |wire| bytes ... | up to the next multiple of 8
//
// It is the packet record of the original API, with the link type in what is
// padding there.
//
// A series holds entries of one size, a power of two, instead of records, one
// after the other without heads, and the position is the end of the newest one.
// Its writer overwrites the oldest and does not look at the reader's position.
// So who reads an entry copies it, word by word, and then loads the position
// again: an entry that ends a ring less an entry or more before it may have been
// overwritten meanwhile.
const (
	recordTS      = 0  // 2^-32 seconds since 1970
	recordIfIndex = 8  // 16 bit: port or interface number
	recordLink    = 10 // 16 bit: DLT
	recordCap     = 12 // 32 bit: captured bytes
	recordWire    = 16 // 32 bit: bytes on the wire
	recordData    = 20 // the packet from the link-layer header on

	align = 8
	skip  = 1<<32 - 1 // captured length that marks a skipped rest
)

// recordSize is what a packet of n captured bytes takes.
func recordSize(n uint64) uint64 { return (recordData + n + align - 1) &^ (align - 1) }

// Magic is the first word of the data file: "MAPIRNG1" in memory.
const Magic uint64 = 0x31474e524950414d

// Sizes of a ring in bytes, without its head.
const (
	MinCapacity = 64 << 10
	MaxCapacity = 256 << 20
)

const (
	headSize = 4096 // bytes of the data file before the ring
	pageSize = 4096 // bytes of the reader page
)

// A head is the begin of the data file. What the writer stores for every batch
// has a cache line of its own, and so has what the reader loads for every packet.
type head struct {
	magic    atomic.Uint64 // 0
	capacity atomic.Uint64 // 8: bytes of the ring
	entry    atomic.Uint64 // 16: bytes of an entry of a series; 0: the ring holds packets
	_        [40]byte

	position atomic.Uint64 // 64: end of the last record
	written  atomic.Uint64 // 72: packets or entries in the ring so far
	full     atomic.Uint64 // 80: packets lost because the ring was full
	tooLarge atomic.Uint64 // 88: packets lost because they are over half of the ring
	_        [32]byte

	state atomic.Uint64 // 128
	want  atomic.Uint64 // 136: the writer waits for this read position; 0: it does not
}

// States of a ring. After stateEnded and stateClosed the position stays.
const (
	stateOpen   = 0
	stateEnded  = 1 // the trace is over
	stateClosed = 2 // the daemon has closed the ring before
)

// A page is the reader page.
//
// The reader makes sleep odd, looks for packets once more, and waits for a byte
// on the socket. The writer sends one byte per odd value after it has moved the
// position or the state. The reader makes sleep even when it goes on. One that does not
// wait makes it 2 when it has looked for the first packet in vain.
//
// The writer stores want, looks for room once more, and waits for a byte. The
// reader sends one byte per value of want, when read has come to it.
//
// The reader stores taken when it has taken the first record, or the last one that it
// knows of: it may hold these for long before read follows.
type page struct {
	read  atomic.Uint64 // 0: everything before is the writer's again
	taken atomic.Uint64 // 8: everything before was taken; noReader: nobody takes any more
	_     [48]byte
	sleep atomic.Uint64 // 64
}

// noReader is the position of a reader that was closed.
const noReader = 1<<64 - 1

// Counts tell what became of the packets that were given to a ring.
type Counts struct {
	Written  uint64 // in the ring, for the reader to read
	Full     uint64 // lost: the ring was full, its reader gone, or no memory to be had
	TooLarge uint64 // lost: the record is over half of the ring and would not always fit
}

func (h *head) counts() Counts {
	return Counts{Written: h.written.Load(), Full: h.full.Load(), TooLarge: h.tooLarge.Load()}
}

// Lost is the number of packets that the reader never gets.
func (c Counts) Lost() uint64 { return c.Full + c.TooLarge }
