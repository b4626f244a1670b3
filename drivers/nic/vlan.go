package nic

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// addresses is the size of the two Ethernet addresses before a tag.
const addresses = 12

// restoreTag puts the tag that the kernel took off back before the type of the
// frame at rec[start:]: the addresses move forward into the reserved room. A
// tag with VLAN 0 and priority 0 is a tag, too, so only the status says whether
// there was one; that is for the caller to look at. The reserved room makes
// start large enough; for a frame shorter than its addresses the room alone is
// taken.
func restoreTag(rec []byte, start, status uint32) {
	tpid := uint16(unix.ETH_P_8021Q)
	if status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = binary.NativeEndian.Uint16(rec[packetTPID:])
	}
	tci := uint16(binary.NativeEndian.Uint32(rec[packetTCI:]))
	frame := rec[start-tagBytes:]
	if len(frame) < addresses+tagBytes {
		return
	}
	copy(frame[:addresses], frame[tagBytes:])
	binary.BigEndian.PutUint16(frame[addresses:], tpid)
	binary.BigEndian.PutUint16(frame[addresses+2:], tci)
}
