package shm

import "runtime"

// Bytes returns the memory of the result, for readers in other languages: the
// sequence word, then the result, padded to whole words (layout.go). The memory
// is read-only, another process writes it, and it is valid while the Reader is
// in use.
func (r *Reader) Bytes() []byte {
	defer runtime.KeepAlive(r.view)
	return asBytes(r.w)
}

// Head returns the first word of the segment, under the same conditions as
// Reader.Bytes. It becomes 0 when the daemon ends the connection and takes the
// memory back.
func (f *FlowReader) Head() []byte {
	defer runtime.KeepAlive(f.view)
	return f.view.mem[:headSize]
}

// Bytes returns the memory of the flow's state, under the same conditions as
// Reader.Bytes.
func (f *FlowReader) Bytes() []byte {
	defer runtime.KeepAlive(f.view)
	return asBytes(f.w)
}
