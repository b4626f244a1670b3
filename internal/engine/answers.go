package engine

import (
	"math/bits"
	"sync"

	"gomapi/drivers"
	"gomapi/internal/content"
	"gomapi/internal/pkt"
)

// answers knows what of the strings that the chains of a level search for is in the
// packets of the batch under way. Each packet is scanned once, when the first chain
// asks, for all strings. It belongs to the capture goroutine.
type answers struct {
	database *content.Database
	scratch  content.Scratch
	hits     []content.Hit
	list     []*pkt.Packet
	asked    packets   // that were scanned
	found    []packets // by pattern
	touched  []int32   // patterns that were found
	closed   sync.Once
}

// packets is a set of packets of a batch.
type packets [drivers.MaxBatch / 64]uint64

func (s *packets) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *packets) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

// of appends those of the batch ptrs that are in the set to list.
func (s *packets) of(ptrs, list []*pkt.Packet) []*pkt.Packet {
	for w, set := range s {
		for ; set != 0; set &= set - 1 {
			list = append(list, ptrs[w*64+bits.TrailingZeros64(set)])
		}
	}
	return list
}

// minAnswers is the least room for hits, in entries.
const minAnswers = 4096

// newAnswers makes a database of the patterns. The error says why there cannot be one.
func newAnswers(patterns []*content.Pattern) (*answers, error) {
	db, err := content.New(patterns)
	if err != nil {
		return nil, err
	}
	a := &answers{
		database: db,
		hits:     make([]content.Hit, 0, max(minAnswers, db.Len())),
		list:     make([]*pkt.Packet, 0, drivers.MaxBatch),
		found:    make([]packets, db.Len()),
		touched:  make([]int32, 0, db.Len()),
	}
	if err := a.scratch.Fit(db); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// close frees the database. No batch may be under way that uses it. Twice is fine.
func (a *answers) close() {
	if a == nil {
		return
	}
	a.closed.Do(func() {
		a.scratch.Close()
		a.database.Close()
	})
}

// ask scans those of the packets that were not scanned yet.
func (a *answers) ask(l *loop, in []*pkt.Packet) {
	list := a.list[:0]
	for _, p := range in {
		if i := l.index(p); !a.asked.has(i) {
			a.asked.add(i)
			list = append(list, p)
		}
	}
	for len(list) > 0 {
		n, hits := a.database.Scan(&a.scratch, list, a.hits[:0])
		for _, h := range hits {
			if a.found[h.Pattern] == (packets{}) {
				a.touched = append(a.touched, int32(h.Pattern))
			}
			a.found[h.Pattern].add(l.index(list[h.Packet]))
		}
		list = list[n:]
	}
}

// forget is for the end of a batch.
func (a *answers) forget() {
	if a == nil {
		return
	}
	for _, p := range a.touched {
		a.found[p] = packets{}
	}
	a.asked, a.touched = packets{}, a.touched[:0]
}

// A search is the branches behind a branch that search for a string.
type search struct {
	all       []*branch
	byPattern map[int32]*branch
}

func (s *search) add(b *branch) {
	if s.byPattern == nil {
		s.byPattern = make(map[int32]*branch)
	}
	s.all = append(s.all, b)
	s.byPattern[b.pattern] = b
}

// run takes those of the packets that contain a string through its branch. It costs as
// much as strings are found, or as there are branches if these are fewer.
func (s *search) run(l *loop, lv *level, in []*pkt.Packet) {
	a := lv.answers
	a.ask(l, in)
	var here packets
	for _, p := range in {
		here.add(l.index(p))
	}
	if len(s.all) <= len(a.touched) {
		for _, b := range s.all {
			b.take(l, lv, &here)
		}
		return
	}
	for _, p := range a.touched {
		if b := s.byPattern[p]; b != nil {
			b.take(l, lv, &here)
		}
	}
}

// take runs the branch with the packets that contain its string.
func (b *branch) take(l *loop, lv *level, here *packets) {
	found := lv.answers.found[b.pattern]
	for w := range found {
		found[w] &= here[w]
	}
	mark := len(lv.lists)
	lv.lists = found.of(l.ptrs, lv.lists)
	if list := lv.lists[mark:]; len(list) > 0 {
		b.run(l, lv, list)
	}
	lv.lists = lv.lists[:mark]
}
