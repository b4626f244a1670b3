package result

import "encoding/binary"

// BurstCategorySize is the size of a BurstCategory: five uint64.
const BurstCategorySize = 40

// Offsets in a BurstCategory.
const (
	burstBytes    = 0
	burstPackets  = 8
	burstBursts   = 16
	burstGapBytes = 24
	burstGaps     = 32
)

// A BurstCategory describes the bursts and gaps of one range of sizes. In the
// result of BURST, category 0 contains sizes below min, category k sizes of min
// + (k-1)*step or more, and the last category all larger sizes.
type BurstCategory struct {
	Bytes    uint64 // bytes of the bursts on the wire
	Packets  uint64 // of the bursts
	Bursts   uint64
	GapBytes uint64 // bytes that the link could have carried in the gaps
	Gaps     uint64 // includes gaps without room for a byte
}

// ParseBurst decodes the result of BURST, one entry for each category. It
// returns false if the length of b is not a multiple of their size.
func ParseBurst(b []byte) ([]BurstCategory, bool) {
	if len(b) == 0 || len(b)%BurstCategorySize != 0 {
		return nil, false
	}
	list := make([]BurstCategory, len(b)/BurstCategorySize)
	for i := range list {
		list[i].get(b[i*BurstCategorySize:])
	}
	return list, true
}

func (c *BurstCategory) get(b []byte) {
	c.Bytes = binary.NativeEndian.Uint64(b[burstBytes:])
	c.Packets = binary.NativeEndian.Uint64(b[burstPackets:])
	c.Bursts = binary.NativeEndian.Uint64(b[burstBursts:])
	c.GapBytes = binary.NativeEndian.Uint64(b[burstGapBytes:])
	c.Gaps = binary.NativeEndian.Uint64(b[burstGaps:])
}

// Add adds c to the category encoded in b, which has at least BurstCategorySize
// bytes.
func (c BurstCategory) Add(b []byte) {
	var sum BurstCategory
	sum.get(b)
	binary.NativeEndian.PutUint64(b[burstBytes:], sum.Bytes+c.Bytes)
	binary.NativeEndian.PutUint64(b[burstPackets:], sum.Packets+c.Packets)
	binary.NativeEndian.PutUint64(b[burstBursts:], sum.Bursts+c.Bursts)
	binary.NativeEndian.PutUint64(b[burstGapBytes:], sum.GapBytes+c.GapBytes)
	binary.NativeEndian.PutUint64(b[burstGaps:], sum.Gaps+c.Gaps)
}
