package capfile

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

// The file header (pcap-savefile(5)): offsets and size in bytes. Time zone and
// accuracy, between version and snapshot length, are 0.
const (
	magicOffset    = 0
	majorOffset    = 4
	minorOffset    = 6
	snapOffset     = 16
	linkTypeOffset = 20
	headSize       = 24
)

// A record header: offsets and size in bytes.
const (
	secondsOffset = 0
	microsOffset  = 4
	captureOffset = 8
	wireOffset    = 12
	recordHead    = 16
)

const (
	magicMicros = 0xa1b2c3d4
	major       = 2
	minor       = 4
)

// maxSnap is the snapshot length; longer packets are truncated to it. tcpdump
// treats longer records as damage.
const maxSnap = 262144

// head returns the header of a file with link type dlt.
func head(dlt uint16) []byte {
	b := make([]byte, headSize)
	binary.NativeEndian.PutUint32(b[magicOffset:], magicMicros)
	binary.NativeEndian.PutUint16(b[majorOffset:], major)
	binary.NativeEndian.PutUint16(b[minorOffset:], minor)
	binary.NativeEndian.PutUint32(b[snapOffset:], maxSnap)
	binary.NativeEndian.PutUint32(b[linkTypeOffset:], uint32(pkt.FileLinkType(dlt)))
	return b
}

// putRecordHead writes a record header to b.
func putRecordHead(b *[recordHead]byte, ts uint64, capture, wire uint32) {
	sec, usec := micros(ts)
	binary.NativeEndian.PutUint32(b[secondsOffset:], sec)
	binary.NativeEndian.PutUint32(b[microsOffset:], usec)
	binary.NativeEndian.PutUint32(b[captureOffset:], capture)
	binary.NativeEndian.PutUint32(b[wireOffset:], wire)
}

// micros converts a timestamp in units of 2^-32 s to seconds and microseconds,
// rounded to nearest. This is exact for all times that had microseconds
// originally. The last half microsecond of 2106 is rounded down.
func micros(ts uint64) (sec, usec uint32) {
	const perSecond = 1000000
	sec = uint32(ts >> 32)
	usec = uint32((ts&0xffffffff*perSecond + 1<<31) >> 32)
	if usec < perSecond {
		return sec, usec
	}
	if sec+1 == 0 {
		return sec, perSecond - 1
	}
	return sec + 1, 0
}
