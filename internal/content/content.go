// Package content finds strings in packets: it searches each packet once for
// all strings of all flows on a device.
//
// A Pattern is the subject of one search. A Database contains the patterns of
// all flows (New). It never changes, and any number of goroutines may use it,
// each with its own Scratch. Database.Scan returns hits for a batch of packets:
// pairs of packet and pattern.
//
// A scan has two steps. The first passes the batch to libhs (search_unsafe.go),
// which searches for one short piece of each string, a needle (needles.go). C
// code compares the bytes around a needle; nothing calls back into Go. This
// step decides almost all packets. Because strings and packets can be made to
// match so often that it takes very long, its work per packet is limited. A
// packet that reaches the limit goes through an automaton of all strings
// instead (automaton.go), which is slower, but whose time does not depend on
// the contents. Both give the same exact result; Stats counts the packets of
// the second.
package content

import (
	"fmt"
	"math"
	"sync/atomic"
)

// Limits of one database. They limit its memory and the time to create it.
// Equal patterns and equal strings count once.
const (
	MaxStrings = 1 << 15  // in all patterns; a string counts once for each pattern
	MaxBytes   = 1 << 20  // of these strings
	maxMachine = 64 << 20 // bytes of the libhs database
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

// counts has the number of items in a database.
type counts struct{ patterns, strings, needles, entries, bytes int }

// Stats describes a database and its work so far.
type Stats struct {
	Members  int    // patterns given to New
	Patterns int    // different ones
	Strings  int    // different strings in them
	Bytes    int    // memory in bytes, of libhs and of Go
	Packets  uint64 // searched
	Again    uint64 // packets of these that libhs gave up and the automaton searched
}

// New creates a database in which pattern i of the list is member i. A nil
// pattern keeps its number and is never found. New takes up to a second for
// 10,000 patterns; it must not be called on the capture path. It returns an
// error for an invalid pattern, and if the patterns are too many or too large
// for one database: then each must be searched separately. The caller closes
// the database.
func New(patterns []*Pattern) (*Database, error) {
	return newDatabase(patterns, Sound() == nil)
}

// newDatabase creates a database that uses libhs, or only the automaton.
func newDatabase(patterns []*Pattern, useLibhs bool) (*Database, error) {
	if uint64(len(patterns)) > math.MaxUint32 {
		return nil, fmt.Errorf("search: too many patterns (%d)", len(patterns))
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

// Close frees the memory of d. No goroutine may use d any more. Close may be
// called more than once.
func (d *Database) Close() {
	d.machine.free()
	d.machine = nil
}

// Len returns the number of members.
func (d *Database) Len() int { return int(d.members) }

// Stats may be called from any goroutine, even after Close.
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
