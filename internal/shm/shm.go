// Package shm passes results from the daemon to its clients without messages.
//
// The daemon creates one Segment per connection: a sealed memfd that only grows
// and that only the daemon can write. Each flow and each function instance has
// a block in it. The client maps the whole segment read-only (View) and reads
// the blocks at the offsets that the daemon has sent. Layouts are in layout.go
// and docs/shm.md.
//
// When the connection ends, the daemon takes the memory back, whatever the client
// keeps of it. The client then reads zeros and notices it from the magic number.
// Root could write to a segment. So the daemon needs nothing that it reads there:
// a function whose result was changed goes on from the changed value.
package shm
