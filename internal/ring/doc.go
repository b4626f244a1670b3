// Package ring carries packets from the daemon to one reader in another process
// through shared memory, without a message or a system call per packet.
//
// The daemon makes a Writer per reader and passes its three Files to the client,
// which opens them as a Reader. The writer copies packets into the ring (Write)
// and shows them once per batch (Flush). The reader gets views into the ring
// (Next, TryNext, NextBatch). When it has seen everything it says that it sleeps
// and waits on a socket, on which the writer wakes it.
//
// A full ring costs the reader packets, which are counted (Write), or makes the
// writer wait (WriteWait, for capture files). The end of a trace reaches the
// reader after the last packet, as io.EOF.
//
// A ring can also hold a series: entries of one size, of which the reader gets
// those that it comes in time for, and is told how many it has missed (series.go).
//
// The client can only read the packets. What it can write, its read position
// and the socket, the daemon takes for hostile: a wrong position is a full ring.
// Memory is fixed when the ring is made, and belongs to both sides: either may
// end at any moment, and the other keeps what it has mapped.
//
// The layout is in layout.go, to the byte, for readers in other languages. The
// package knows nothing of flows, and returns errors without MAPI numbers.
package ring
