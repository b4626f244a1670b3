package nic

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// Layout of a frame: struct tpacket2_hdr (linux/if_packet.h) in the host's byte
// order, then struct sockaddr_ll.
const (
	frameStatus   = 0  // u32: TP_STATUS_ bits; TP_STATUS_USER once user space owns the frame
	frameLen      = 4  // u32: bytes of the original packet
	frameCap      = 8  // u32: captured bytes
	frameMAC      = 12 // u16: offset of the packet
	frameNet      = 14 // u16: offset of the data after the link header
	frameSec      = 16 // u32
	frameNsec     = 20 // u32
	frameTCI      = 24 // u16: VLAN tag control information
	frameTPID     = 26 // u16: VLAN tag type
	frameAddress  = 32 // struct sockaddr_ll
	frameHeader   = frameAddress + unix.SizeofSockaddrLinklayer
	frameOverhead = 128 // bytes: maximum space before a packet, including the Ethernet header
)

// queueBytes is the size of the socket's queue of long packets.
const queueBytes = 16 << 20

// A frameRing is a TPACKET_V2 ring: each packet has a frame, and the kernel
// hands it over at once. Frames fit packets of the interface's MTU. For a
// longer packet (the card or a sender on this machine has merged packets) the
// kernel puts the start into the frame and the whole packet into the socket's
// queue, from which it is read.
type frameRing struct {
	mapping
	sock   int
	frames int
	long   []byte // a packet that exceeded its frame

	// Number of frames that fill has taken, and how many of them it has
	// released. Only fill changes these.
	taken, given atomic.Uint64
}

// frameGeometry returns the geometry of a ring for an interface with this MTU.
// Frame sizes are powers of two, so frames fill their blocks without gaps.
func frameGeometry(o options, mtu int) geometry {
	const least, most = 1 << 11, 1 << 16
	need := uint(min(mtu, o.snap) + frameOverhead)
	frame := min(max(1<<bits.Len(need-1), least), most)
	return geometry{blockBytes: most, blocks: max(1, o.ringBytes/most), frameBytes: frame}
}

func newFrameRing(sock int, o options, mtu int) (*frameRing, error) {
	r := &frameRing{sock: sock, mapping: mapping{geometry: frameGeometry(o, mtu)}}
	if err := unix.SetsockoptInt(sock, unix.SOL_PACKET, unix.PACKET_COPY_THRESH, 1); err != nil {
		return nil, os.NewSyscallError("setsockopt PACKET_COPY_THRESH", err)
	}
	// Room for long packets, if granted: the default holds three.
	_ = unix.SetsockoptInt(sock, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, queueBytes)
	err := shrinkUntil(&r.geometry, func(req *unix.TpacketReq3) error {
		return unix.SetsockoptTpacketReq(sock, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq{
			Block_size: req.Block_size, Block_nr: req.Block_nr, Frame_size: req.Frame_size, Frame_nr: req.Frame_nr,
		})
	})
	if err != nil {
		return nil, err
	}
	r.frames = r.blocks * (r.blockBytes / r.frameBytes)
	r.long = make([]byte, frameOverhead+drivers.MaxSnap)
	return r, r.mmap(sock)
}

// frame returns the frame that the kernel fills after n others.
func (r *frameRing) frame(n uint64) []byte {
	start := int(n%uint64(r.frames)) * r.frameBytes
	end := start + r.frameBytes
	return r.mem[start:end:end]
}

// fill implements ring. A packet from the socket's queue ends a batch, because
// there is a buffer for only one.
func (r *frameRing) fill(v *view, batch []drivers.Packet) (n int) {
	given := r.release()
	taken := given
	var rec record
	for n < len(batch) && taken < given+uint64(r.frames) {
		f := r.frame(taken)
		if !owned(statusOf(f[frameStatus:])) {
			break
		}
		taken++
		rec.readFrame(f)
		queued := rec.status&unix.TP_STATUS_COPY != 0
		if queued {
			r.receive(&rec)
		}
		if v.see(&rec, &batch[n]) {
			n++
		}
		if queued && n > 0 {
			break
		}
	}
	r.taken.Store(taken)
	return n
}

// release releases the frames of the last batch. It returns the number of
// frames released so far.
func (r *frameRing) release() uint64 {
	taken := r.taken.Load()
	for at := r.given.Load(); at < taken; at++ {
		giveBack(statusOf(r.frame(at)[frameStatus:]))
	}
	r.given.Store(taken)
	return taken
}

// fullness implements ring.
func (r *frameRing) fullness() int {
	given := r.given.Load()
	return percentOf(r.frames, func(i int) bool {
		return owned(statusOf(r.frame(given + uint64(i))[frameStatus:]))
	})
}

// waiting implements ring. A packet has a frame even if it exceeds the frame.
func (r *frameRing) waiting() (n uint64) {
	end := r.given.Load() + uint64(r.frames) // beyond this, frames repeat
	for at := r.taken.Load(); at < end; at++ {
		here := owned(statusOf(r.frame(at)[frameStatus:]))
		switch {
		case r.taken.Load() > at: // fill has taken it meanwhile
		case here:
			n++
		default:
			return n
		}
	}
	return n
}

// receive reads the packet whose start is in rec from the socket's queue, where
// a copy of its header precedes it. It skips other packets, which remain in the
// queue if an error of the interface interrupted a read. If the packet is not
// in the queue, rec is unchanged.
func (r *frameRing) receive(rec *record) {
	end := rec.start + rec.captured
	if rec.start < frameHeader || rec.start > frameOverhead || end > uint32(len(rec.bytes)) || end < rec.start {
		return
	}
	here := rec.bytes[rec.start:end]
	for {
		n, err := unix.Read(r.sock, r.long[rec.start:])
		if err == unix.ENETDOWN {
			continue // the read has cleared it
		}
		if err != nil {
			return
		}
		if n <= int(rec.wire) && bytes.HasPrefix(r.long[rec.start:][:n], here) {
			copy(r.long, rec.bytes[:rec.start])
			rec.captured = uint32(n)
			rec.bytes = r.long[:rec.start+rec.captured]
			return
		}
	}
}

// readFrame reads the header of a frame.
func (r *record) readFrame(b []byte) {
	r.bytes = b
	r.address = frameAddress
	r.start = uint32(binary.NativeEndian.Uint16(b[frameMAC:]))
	r.network = uint32(binary.NativeEndian.Uint16(b[frameNet:]))
	r.captured = binary.NativeEndian.Uint32(b[frameCap:])
	r.wire = binary.NativeEndian.Uint32(b[frameLen:])
	r.status = binary.NativeEndian.Uint32(b[frameStatus:])
	r.sec = binary.NativeEndian.Uint32(b[frameSec:])
	r.nsec = binary.NativeEndian.Uint32(b[frameNsec:])
	r.tci = binary.NativeEndian.Uint16(b[frameTCI:])
	r.tpid = binary.NativeEndian.Uint16(b[frameTPID:])
}
