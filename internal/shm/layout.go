package shm

// Layout of a segment, in bytes. All words are 64 bit in host order and
// 8-byte aligned. Offset 0 is never a place, so 0 can mean "none".
const (
	wordSize = 8

	// Head of the segment.
	magicOffset = 0 // Magic
	headSize    = 8

	// Place of a flow.
	flowStatus = 0  // FlowStatus of the API
	flowStart  = 8  // connect, nanoseconds since 1970, 0 before
	flowEnd    = 16 // end of the device, nanoseconds since 1970, 0 before
	flowSize   = 24

	// Place of a function's result.
	slotSeq    = 0 // even: stable, odd: being written; unused for one word
	slotResult = 8 // the result, padded to whole words
	slotHead   = 8
)

// Magic is the first word of every segment: "MAPIRES1" in memory.
const Magic uint64 = 0x315345524950414d

// MaxSegment is the most that one connection's results can take, in bytes. It
// is address space; memory is taken as places are used.
const MaxSegment = 64 << 20

// MaxResult bounds the result of one function instance, in bytes.
const MaxResult = 1 << 20

// words rounds n bytes up to whole words.
func words(n int) int { return (n + wordSize - 1) / wordSize }
