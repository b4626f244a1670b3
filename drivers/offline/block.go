package offline

import (
	"errors"
	"fmt"
)

// Block types (draft-ietf-opsawg-pcapng, section 11.1). All others are skipped.
const (
	blockInterface = 0x00000001
	blockPacket    = 0x00000002 // obsolete
	blockSimple    = 0x00000003
	blockEnhanced  = 0x00000006
	blockSection   = 0x0a0d0d0a // the same in both byte orders
)

// Sizes in bytes: around every block, and the fixed part of each body.
const (
	blockHead     = 8 // type, total length
	blockTail     = 4 // total length again
	sectionHead   = 16
	interfaceHead = 8
	simpleHead    = 4
	enhancedHead  = 20 // also of the obsolete packet block
)

// byteOrderMagic is the first word of a section header's body.
const byteOrderMagic = 0x1a2b3c4d

var errShortBlock = errors.New("the block is too short for its contents")

// A block is one complete block. body is a slice of the window.
type block struct {
	kind uint32
	body []byte
}

func (b block) isPacket() bool {
	return b.kind == blockEnhanced || b.kind == blockSimple || b.kind == blockPacket
}

// next returns the block at the start of b. If b does not hold all of it, size
// exceeds len(b): it is the number of bytes needed as far as known.
func (r *pcapngReader) next(b []byte) (blk block, size int, err error) {
	const sizeAt, magicAt = 4, 8
	if len(b) < blockHead+blockTail {
		return block{}, blockHead + blockTail, nil
	}
	o := r.order
	kind := o.u32(b)
	if kind == blockSection {
		if o, err = orderOf(b[magicAt:]); err != nil {
			return block{}, 0, err
		}
	}
	total := o.u32(b[sizeAt:])
	switch {
	case total < blockHead+blockTail || total%4 != 0:
		return block{}, 0, fmt.Errorf("block length %d: expected a multiple of 4, at least 12", total)
	case total > maxRecord:
		return block{}, 0, fmt.Errorf("block length %d exceeds the limit of %d bytes", total, maxRecord)
	case uint64(total) > uint64(len(b)):
		return block{}, int(total), nil
	}
	size = int(total)
	if err := checkTail(o, b[size-blockTail:], total); err != nil {
		return block{}, 0, err
	}
	return block{kind, b[blockHead : size-blockTail]}, size, nil
}

// checkTail compares the length at the end of a block with that at its start.
func checkTail(o order, tail []byte, total uint32) error {
	if again := o.u32(tail); again != total {
		return fmt.Errorf("block length %d at its start, %d at its end", total, again)
	}
	return nil
}

// matters reports whether the block at the start of b carries or describes
// packets. b holds at least its header.
func (r *pcapngReader) matters(b []byte) bool {
	blk := block{kind: r.order.u32(b)}
	return blk.isPacket() || blk.kind == blockSection || blk.kind == blockInterface
}

func orderOf(magic []byte) (order, error) {
	for _, o := range []order{false, true} {
		if o.u32(magic) == byteOrderMagic {
			return o, nil
		}
	}
	return false, errors.New("section header without the pcapng byte-order magic")
}
