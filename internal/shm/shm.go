// Package shm passes results from the daemon to its clients without messages.
//
// The daemon creates one Segment per connection: a sealed memfd that only grows
// and that only the daemon can write. Each flow and each function instance has
// a block in it. The client maps the whole segment read-only (View) and reads
// the blocks at the offsets that the daemon has sent. Layouts are in layout.go
// and docs/shm.md.
package shm
