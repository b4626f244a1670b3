// Package ring carries packets from the daemon to one reader in another process through
// shared memory, without a message or a system call per packet.
//
// The daemon creates a Writer per reader and passes its three Files to the client, which
// opens them as a Reader. The writer copies packets into the ring (Write) and publishes
// them once per batch (Flush). The reader gets views into the ring (Next, TryNext,
// NextBatch). When it has read everything, it announces that it sleeps and waits on a
// socket. The writer wakes it through the socket.
//
// If the ring is full, packets are lost for the reader and counted (Write), or the writer
// waits (WriteWait, for capture files). After the last packet of a trace the reader gets
// io.EOF.
//
// A ring can also hold records: data of any length, of a kind (records.go). They are
// passed on like packets.
//
// A ring can also hold a series: entries of one size. A slow reader misses the oldest
// entries and is told how many (series.go).
//
// The client can only read the packets. It can write its read position and the socket,
// which the daemon treats as hostile: an invalid position counts as a full ring. The size
// of the memory is fixed when the ring is created. The memory belongs to the daemon: Close
// takes it back from all who have it. Either process may end at any time; the other keeps
// what it has mapped.
//
// layout.go describes the layout exactly, for readers in other languages. The package
// knows nothing of flows and returns errors without MAPI numbers.
package ring
