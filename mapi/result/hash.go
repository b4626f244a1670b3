package result

import "encoding/binary"

// HashSize is the size of a Hash: one uint32.
const HashSize = 4

// Hash is the result of HASH: a number below 500009 that depends on the bytes
// of the newest packet that reached the function. It is 0 if no packet was
// hashed.
type Hash uint32

// ParseHash decodes a hash. It returns false if b is too short.
func ParseHash(b []byte) (Hash, bool) {
	if len(b) < HashSize {
		return 0, false
	}
	return Hash(binary.NativeEndian.Uint32(b)), true
}
