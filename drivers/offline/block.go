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
	enhancedHead  = 20 // the obsolete packet block's too
)

// byteOrderMagic begins the body of a section header.
const byteOrderMagic = 0x1a2b3c4d

var errShortBlock = errors.New("the block is too short for what it holds")

// A block is one complete block; body aliases the window.
type block struct {
	kind uint32
	body []byte
}

func (b block) isPacket() bool {
	return b.kind == blockEnhanced || b.kind == blockSimple || b.kind == blockPacket
}

// next cuts the block at the start of b out of it. When b does not hold all of
// it, size is larger than len(b): the bytes needed as far as known.
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
		return block{}, 0, fmt.Errorf("block length %d, more than the %d bytes that are accepted", total, maxRecord)
	case uint64(total) > uint64(len(b)):
		return block{}, int(total), nil
	}
	size = int(total)
	if err := checkTail(o, b[size-blockTail:], total); err != nil {
		return block{}, 0, err
	}
	return block{kind, b[blockHead : size-blockTail]}, size, nil
}

// checkTail compares the length at a block's end with that at its start.
func checkTail(o order, tail []byte, total uint32) error {
	if again := o.u32(tail); again != total {
		return fmt.Errorf("block length %d at its start, %d at its end", total, again)
	}
	return nil
}

// matters reports whether the block at the start of b, at least its head,
// carries a packet or describes some.
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
