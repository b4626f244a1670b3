package segment

import (
	"sync"

	"gomapi/internal/chain"
	"gomapi/internal/content"
	"gomapi/internal/pkt"
)

// answers knows which strings the packets of the current batch contain, among all that the
// chains of a segment search for. Each packet is scanned once for all strings, when the
// first chain asks. The capture goroutine owns it.
type answers struct {
	database *content.Database
	scratch  content.Scratch
	hits     []content.Hit
	list     []*pkt.Packet
	asked    pkt.Set   // packets that were scanned
	found    []pkt.Set // packets, by pattern
	touched  []int32   // patterns with packets in found
	closed   sync.Once
}

// minAnswers is the minimum capacity of hits, in entries.
const minAnswers = 4096

// newAnswers makes a database of the patterns. It fails if they do not fit into one.
func newAnswers(patterns []*content.Pattern) (*answers, error) {
	db, err := content.New(patterns)
	if err != nil {
		return nil, err
	}
	a := &answers{
		database: db,
		hits:     make([]content.Hit, 0, max(minAnswers, db.Len())),
		list:     make([]*pkt.Packet, 0, pkt.MaxBatch),
		found:    make([]pkt.Set, db.Len()),
		touched:  make([]int32, 0, db.Len()),
	}
	if err := a.scratch.Fit(db); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// close frees the database, which no batch may be using. Calling it twice is allowed.
func (a *answers) close() {
	if a == nil {
		return
	}
	a.closed.Do(func() {
		a.scratch.Close()
		a.database.Close()
	})
}

// ask scans the packets that were not scanned yet.
func (a *answers) ask(h *chain.Host, in []*pkt.Packet) {
	list := a.list[:0]
	for _, p := range in {
		if i := h.Index(p); !a.asked.Has(i) {
			a.asked.Add(i)
			list = append(list, p)
		}
	}
	for len(list) > 0 {
		n, hits := a.database.Scan(&a.scratch, list, a.hits[:0])
		for _, hit := range hits {
			if a.found[hit.Pattern] == (pkt.Set{}) {
				a.touched = append(a.touched, int32(hit.Pattern))
			}
			a.found[hit.Pattern].Add(h.Index(list[hit.Packet]))
		}
		list = list[n:]
	}
}

// forget clears the answers at the end of a batch.
func (a *answers) forget() {
	if a == nil {
		return
	}
	for _, p := range a.touched {
		a.found[p] = pkt.Set{}
	}
	a.asked, a.touched = pkt.Set{}, a.touched[:0]
}
