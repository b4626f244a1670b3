package ring

import "sync/atomic"

// A ring consists of two memory files and a pair of connected stream sockets. All words
// have 64 bits in host order, are 8-byte aligned, and are loaded and stored atomically.
//
// Only the daemon writes the data file: a head of headSize bytes, then the ring, whose
// size is a power of two. Only the client writes the reader page. The daemon reads back
// neither: root could open the data file for writing. Positions count bytes
// since the ring was created and never wrap. The place of a position in the ring is its
// remainder modulo the size of the ring.
//
// Records lie one after the other from the read position to the writer's position. Each
// starts at a multiple of 8 and is contiguous: if a record does not fit between here and
// the end of the ring, this rest is skipped. A rest of 24 bytes or more is marked with
// the length skip; a smaller rest cannot hold a record head and is skipped without a
// mark.
//
//	0      8  10 12   16   20
//	| ts   |if|lt|cap |wire| bytes ... | up to the next multiple of 8
//
// This is the packet record of the original API. The link type is in its padding.
//
// A record of a function has the same head. The kind is in the place of the port, the link
// type and the length on the wire are 0, and cap is the length of the data.
//
// A series holds entries of one size, a power of two, instead of records. They have no
// heads, and the position is the end of the newest entry. The writer overwrites the
// oldest entry and ignores the reader's position. So a reader copies an entry word by
// word and then loads the position again. The entry is valid only if it ends less than
// the size of the ring minus one entry before that position; otherwise it may have been
// overwritten.
//
// When the daemon closes a ring, it stores the state, sets magic to 0, and takes back the
// memory of both files, whatever descriptors and mappings the client keeps. All words are 0
// from then on. So a reader that has read a record, the position or the counts loads magic
// afterwards. If it is 0, what was read may be zeros, and the ring is gone.
const (
	recordTS      = 0  // 2^-32 seconds since 1970
	recordIfIndex = 8  // 16 bits: port or interface number
	recordLink    = 10 // 16 bits: DLT
	recordCap     = 12 // 32 bits: captured bytes
	recordWire    = 16 // 32 bits: bytes on the wire
	recordData    = 20 // the packet from the link-layer header on

	ofRecords = 1 // in head.entry: the ring holds records of a function

	align = 8
	skip  = 1<<32 - 1 // captured length that marks a skipped rest
)

// recordSize returns the size of the record of a packet with n captured bytes.
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

// A head is the start of the data file. The words that the writer stores for every batch
// have their own cache line, and so have those that the reader loads for every packet.
type head struct {
	magic    atomic.Uint64 // 0; 0 when the memory is taken back
	capacity atomic.Uint64 // 8: bytes of the ring
	entry    atomic.Uint64 // 16: bytes of an entry of a series; 0: the ring holds packets; 1: records
	_        [40]byte

	position atomic.Uint64 // 64: end of the last record
	counts   tally         // 72
	_        [32]byte

	state atomic.Uint64 // 128
	want  atomic.Uint64 // 136: the writer waits for this read position; 0: it does not
}

// States of a ring. In stateEnded and stateClosed the position no longer changes.
const (
	stateOpen   = 0
	stateEnded  = 1 // the trace has ended
	stateClosed = 2 // the daemon closed the ring before the trace ended
)

// A page is the reader page.
//
// The reader makes sleep odd, looks for packets once more, and waits for a byte on the
// socket. The writer sends one byte per odd value after it has changed the position or
// the state. The reader makes sleep even when it continues. A reader that does not wait
// sets it to 2 after its first unsuccessful look for a packet.
//
// The writer stores want, looks for room once more, and waits for a byte. The reader
// sends one byte per value of want when read has reached it.
//
// The reader stores taken when it has taken the first record, or the last record that it
// knows. It may hold these packets for a long time before read follows.
type page struct {
	read  atomic.Uint64 // 0: everything before it belongs to the writer again
	taken atomic.Uint64 // 8: everything before it was taken; noReader: no more will be taken
	_     [48]byte
	sleep atomic.Uint64 // 64
}

// noReader is the position of a closed reader.
const noReader = 1<<64 - 1

// Counts are the numbers of packets given to a ring, by what became of them.
type Counts struct {
	Written  uint64 // in the ring, for the reader
	Full     uint64 // lost: the ring was full, the reader gone, or memory short
	TooLarge uint64 // lost: the record is larger than half of the ring and would not always fit
}

// A tally is Counts for several goroutines or processes.
type tally struct {
	written  atomic.Uint64 // packets or entries put into the ring so far
	full     atomic.Uint64 // packets lost because the ring was full
	tooLarge atomic.Uint64 // packets lost because they are larger than half of the ring
}

func (t *tally) load() Counts {
	return Counts{Written: t.written.Load(), Full: t.full.Load(), TooLarge: t.tooLarge.Load()}
}

func (t *tally) store(c Counts) {
	t.written.Store(c.Written)
	t.full.Store(c.Full)
	t.tooLarge.Store(c.TooLarge)
}

// Lost returns the number of packets that the reader never gets.
func (c Counts) Lost() uint64 { return c.Full + c.TooLarge }
