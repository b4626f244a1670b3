// Package content finds strings in packets: all the strings that the flows of a
// device search for, in one scan of each packet, however many they are.
//
// A Pattern is what one search asks for. A Database is made of the patterns of
// all flows (New), never changes, and may be used by any number of goroutines,
// each of which has a Scratch of its own. Database.Scan answers a batch of
// packets with hits, pairs of packet and pattern.
//
// A scan has two steps. The first hands the batch to libhs (search_unsafe.go): it
// looks for one short piece of each string, a needle (needles.go), and what lies
// round a needle is compared in C; no call leads back into Go. This is the way
// of all but a few packets. It could take long for a packet and strings that are
// made to fit each other, so its work on one packet has a limit. A packet that
// comes to the limit is taken from libhs and goes through an automaton of all
// strings (automaton.go), which is slower and does not mind what it reads.
// Both give the same exact answer; Stats tells how often the second was needed.
package content

import (
	"fmt"
	"math"
	"sync/atomic"
)

// Limits of one database. They bound its memory and the time that it takes to
// make it. Equal patterns and equal strings count once.
const (
	MaxStrings = 1 << 15  // in all patterns; a string counts once for each pattern
	MaxBytes   = 1 << 20  // of these strings
	maxMachine = 64 << 20 // bytes of what libhs makes of them
)

// A Database finds many patterns at once.
type Database struct {
	members   uint32
	patterns  lists // distinct pattern -> members
	entries   lists // entry -> distinct patterns
	counts    counts
	machine   *machine
	automaton *automaton

	packets atomic.Uint64
	again   atomic.Uint64
}

// counts is how much of each a database has.
type counts struct{ patterns, strings, needles, entries, bytes int }

// Stats is what a database is made of and what it has done.
type Stats struct {
	Members  int    // patterns given to New
	Patterns int    // different ones
	Strings  int    // different strings in them
	Bytes    int    // memory, of libhs and of Go
	Packets  uint64 // searched
	Again    uint64 // of these, taken from libhs and searched by the automaton
}

// New makes a database in which pattern i of the list is member i. A nil pattern
// keeps its place and is never found. It takes up to a second for 10,000
// patterns and belongs on the control side. The error says what is wrong with a
// pattern, or that the patterns are too many or too large for one database: then
// each has to be searched for by itself. The caller closes the database.
func New(patterns []*Pattern) (*Database, error) {
	return newDatabase(patterns, Sound() == nil)
}

// newDatabase makes a database that uses libhs or, for itself, the automaton.
func newDatabase(patterns []*Pattern, useLibhs bool) (*Database, error) {
	if uint64(len(patterns)) > math.MaxUint32 {
		return nil, fmt.Errorf("search: %d patterns are too many", len(patterns))
	}
	s, err := newSet(patterns)
	if err != nil {
		return nil, err
	}
	d := &Database{
		members:   uint32(len(patterns)),
		patterns:  s.members,
		entries:   s.patterns,
		automaton: newAutomaton(s),
	}
	if len(s.entries) > 0 && useLibhs {
		if d.machine, err = newMachine(s); err != nil {
			return nil, fmt.Errorf("search for %d strings: %w", len(s.strings), err)
		}
	}
	d.counts = counts{
		patterns: d.patterns.len(), strings: len(s.strings), needles: len(s.needles), entries: len(s.entries),
		bytes: d.patterns.size() + d.entries.size() + d.automaton.size() + d.machine.size(),
	}
	return d, nil
}

// Close frees the memory of d, which no goroutine uses any more. To close it
// again does nothing.
func (d *Database) Close() {
	d.machine.free()
	d.machine = nil
}

// Len returns the number of members.
func (d *Database) Len() int { return int(d.members) }

// Stats may be called from any goroutine, after Close as well.
func (d *Database) Stats() Stats {
	return Stats{
		Members:  int(d.members),
		Patterns: d.counts.patterns,
		Strings:  d.counts.strings,
		Bytes:    d.counts.bytes,
		Packets:  d.packets.Load(),
		Again:    d.again.Load(),
	}
}
