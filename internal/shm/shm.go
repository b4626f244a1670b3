// Package shm carries results from the daemon to its clients without messages.
//
// The daemon makes one Segment per connection, a sealed memfd that only grows
// and that only the daemon can write. Each flow and each function instance has
// a place in it; the client maps the whole read-only (View) and reads places
// whose offsets it was told. Layouts are in layout.go and docs/shm.md.
package shm
