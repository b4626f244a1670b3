package content

/*
#cgo nocallback search_batch
#cgo noescape search_batch
#include <stdlib.h>
#include <string.h>
#include "machine.h"

// on_match compares the bytes around the needle that ends before byte to of the
// scanned data. It ends the scan when the work for the packet reaches its limit.
static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	struct work *w = ctx;
	const struct machine *m = w->m;
	const struct needle *n = &m->needles[id];
	const struct view *v = &w->views[w->packet];
	uint64_t end = m->from + to;
	(void)from, (void)flags;
	if (n->count == 0 || --w->left < 0)
		return w->over = 1;
	for (uint32_t i = n->first; i < n->first + n->count; i++) {
		const struct entry *e = &m->entries[i];
		uint64_t stop = end + e->behind, start = stop - e->length;
		if (w->seen[i] == w->stamp)
			continue;
		if ((w->left -= 1 + e->length / 64) < 0)
			return w->over = 1;
		if (stop > v->length || stop < (uint64_t)e->from + e->length || stop > e->to)
			continue;
		if (memcmp((const uint8_t *)v->data + start, m->texts + e->text, e->length) != 0)
			continue;
		w->seen[i] = w->stamp;
		w->hits += e->hits;
		w->found[w->matches++] = (struct match){w->packet, i};
	}
	return 0;
}

// search_nuls searches for the needle that libhs cannot search for.
static void search_nuls(const struct machine *m, struct work *w, const uint8_t *data, size_t length)
{
	const uint8_t *nul = data;
	while (!w->over && (nul = memchr(nul, 0, data + length - nul)) != NULL)
		on_match(m->nul, 0, ++nul - data, 0, w);
}

// search_packet searches packet w->packet. If it sets w->over, the result is
// unknown.
static void search_packet(const struct machine *m, struct work *w)
{
	const struct view *v = &w->views[w->packet];
	uint32_t stop = v->length < m->to ? v->length : m->to;
	if (stop <= m->from)
		return;
	uint32_t first = w->matches;
	if (++w->stamp == 0) {
		memset(w->seen, 0, w->entries * sizeof w->seen[0]);
		w->stamp = 1;
	}
	w->left = WORK;
	const char *data = (const char *)v->data + m->from;
	if (m->nul != NO_NEEDLE)
		search_nuls(m, w, (const uint8_t *)data, stop - m->from);
	if (m->hs != NULL && !w->over && hs_scan(m->hs, data, stop - m->from, 0, w->hs, on_match, w) != HS_SUCCESS)
		w->over = 1;
	if (w->over)
		w->matches = first;
}

// search_batch searches packets until one takes too much work or the room for
// matches or hits is used up. It returns the number of decided packets.
static uint32_t search_batch(const struct machine *m, struct work *w, uint32_t packets, uint64_t room)
{
	w->m = m;
	w->matches = w->hits = w->over = 0;
	for (w->packet = 0; w->packet < packets && w->matches + WORK <= ROOM; w->packet++) {
		if (w->packet > 0 && w->hits >= room)
			break;
		search_packet(m, w);
		if (w->over)
			break;
	}
	return w->packet;
}

// fit makes w large enough for m. It returns 0 if memory runs out.
static int fit(struct work *w, const struct machine *m, uint32_t entries)
{
	if (entries > w->entries) {
		uint32_t *seen = realloc(w->seen, entries * sizeof *seen);
		if (seen == NULL)
			return 0;
		memset(seen, 0, entries * sizeof *seen);
		w->seen = seen;
		w->entries = entries;
		w->stamp = 0;
	}
	return m->hs == NULL || hs_alloc_scratch(m->hs, &w->hs) == HS_SUCCESS;
}

static void free_work(struct work *w)
{
	if (w == NULL)
		return;
	hs_free_scratch(w->hs);
	free(w->seen);
	free(w);
}
*/
import "C"

import (
	"errors"
	"math"
	"unsafe"

	"gomapi/internal/pkt"
)

// maxBatch is how many packets one call into C searches.
const maxBatch = C.BATCH

// A match is an entry that was found in a packet of the batch.
type match = C.struct_match

// bench is the working memory of a machine in C, for one goroutine.
type bench struct {
	c     *C.struct_work
	views []C.struct_view // in C's memory, like found
	found []match
}

// fit allocates memory for a machine.
func (b *bench) fit(m *machine) error {
	if b.c == nil {
		c := (*C.struct_work)(C.calloc(1, C.sizeof_struct_work))
		if c == nil {
			return errors.New("no memory")
		}
		*b = bench{c: c, views: c.views[:], found: c.found[:]}
	}
	if C.fit(b.c, m.c, C.uint32_t(m.entries)) == 0 {
		return errors.New("no memory, or a processor that libhs does not support")
	}
	return nil
}

func (b *bench) free() {
	C.free_work(b.c)
	*b = bench{}
}

// search searches up to maxBatch packets, until the matches may become more
// than room hits. It returns the number of decided packets and the matches in
// them, which are valid until the next call. over says that the packet after
// these takes too much work. fit must have been called for m.
//
// C gets the addresses of the packets as numbers in its own memory and forgets
// them when it returns. This is sound because Scratch references the batch
// meanwhile. So the packets stay alive, and the compiler has allocated their Go
// memory on the heap, which does not move, unlike stacks. Most packets are in a
// ring of the kernel anyway.
func (b *bench) search(m *machine, pkts []*pkt.Packet, room int) (decided int, found []match, over bool) {
	for i, p := range pkts {
		n := min(len(p.Link), math.MaxInt32)
		b.views[i] = C.struct_view{data: C.uintptr_t(uintptr(unsafe.Pointer(unsafe.SliceData(p.Link)))), length: C.uint32_t(n)}
	}
	decided = int(C.search_batch(m.c, b.c, C.uint32_t(len(pkts)), C.uint64_t(room)))
	return decided, b.found[:b.c.matches], b.c.over != 0
}
