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

// A BurstCategory tells about the bursts and the gaps of one range of sizes. In
// the result of BURST, category 0 is of those below min, category k of min +
// (k-1)*step and more, and the last one of all that are larger.
type BurstCategory struct {
	Bytes    uint64 // on the wire, of the bursts
	Packets  uint64 // of the bursts
	Bursts   uint64
	GapBytes uint64 // that the link could have carried in the gaps
	Gaps     uint64 // also those without room for a byte
}

// ParseBurst decodes the result of BURST, one entry for each category. It reports
// false when b is no whole number of them.
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

// Add adds c to the category encoded in b, which has BurstCategorySize bytes at
// least.
func (c BurstCategory) Add(b []byte) {
	var sum BurstCategory
	sum.get(b)
	binary.NativeEndian.PutUint64(b[burstBytes:], sum.Bytes+c.Bytes)
	binary.NativeEndian.PutUint64(b[burstPackets:], sum.Packets+c.Packets)
	binary.NativeEndian.PutUint64(b[burstBursts:], sum.Bursts+c.Bursts)
	binary.NativeEndian.PutUint64(b[burstGapBytes:], sum.GapBytes+c.GapBytes)
	binary.NativeEndian.PutUint64(b[burstGaps:], sum.Gaps+c.Gaps)
}
