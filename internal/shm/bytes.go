package shm

import "runtime"

// Bytes is the place of the result: the sequence word, then the result, padded to
// whole words (layout.go). It is read-only memory that another process writes,
// valid as long as the Reader is in use, for readers in other languages.
func (r *Reader) Bytes() []byte {
	defer runtime.KeepAlive(r.view)
	return asBytes(r.w)
}

// Bytes is the place of the flow, as Reader.Bytes.
func (f *FlowReader) Bytes() []byte {
	defer runtime.KeepAlive(f.view)
	return asBytes(f.w)
}
