package shm

// Layout of a segment, in bytes. All words have 64 bits in host byte order and
// are 8-byte aligned. No record starts at offset 0, so 0 can mean "none".
const (
	wordSize = 8

	// Header of the segment.
	magicOffset = 0 // Magic; 0 when the memory is taken back
	headSize    = 8

	// State of a flow.
	flowStatus = 0  // FlowStatus of the API
	flowStart  = 8  // connect, nanoseconds since 1970; 0 before
	flowEnd    = 16 // end of the device, nanoseconds since 1970; 0 before
	flowSize   = 24
	flowClosed = 3 // a FlowStatus

	// Slot of a function's result.
	slotSeq    = 0 // even: stable, odd: write in progress; unused for one word
	slotResult = 8 // the result, padded to whole words
	slotHead   = 8
)

// Magic is the first word of every segment: "MAPIRES1" in memory.
const Magic uint64 = 0x315345524950414d

// MaxSegment is the maximum size of all results of one connection, in bytes. It
// reserves address space only; memory is allocated with the slots.
const MaxSegment = 64 << 20

// MaxResult is the maximum size of the result of one function instance, in
// bytes.
const MaxResult = 1 << 20

// words rounds n bytes up to whole words.
func words(n int) int { return (n + wordSize - 1) / wordSize }
