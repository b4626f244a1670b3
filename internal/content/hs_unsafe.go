package content

/*
#cgo pkg-config: libhs
#cgo CFLAGS: -O2
#cgo nocallback search_batch
#cgo noescape search_batch
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <hs.h>

enum {
	BATCH = 256,    // packets of one call
	WORK = 1024,    // what may be done for one packet, see on_match
	CROWD = 32,     // entries of one needle that are compared here
	ROOM = 4 * WORK, // matches of one call
	REASON = 256,
	NO_NEEDLE = 0xffffffff
};

struct needle { uint32_t first, count; };     // count 0: too many entries
struct entry {
	uint32_t text, length;                // in texts
	uint32_t behind;                      // bytes of the string behind the needle
	uint32_t from, to;                    // bytes of the packet that it lies in
	uint32_t hits;                        // at most, when it is found
};
struct machine {
	hs_database_t *hs;                    // NULL: no needle is for libhs
	uint32_t nul;                         // needle that is a NUL, NO_NEEDLE: none
	struct needle *needles;
	struct entry *entries;
	uint8_t *texts;
	uint32_t from, to;                    // bytes of packets that any entry can lie in
};

struct view { uintptr_t data; uint32_t length; };
struct match { uint32_t packet, entry; };

// What one goroutine needs. Unlike a machine it changes during a search.
struct work {
	hs_scratch_t *hs;
	uint32_t *seen;                       // entry -> packet (stamp) that it was last found in
	uint32_t entries, stamp;
	const struct machine *m;
	uint32_t packet;                      // the one under way
	int32_t left;                         // what may still be done for it
	uint32_t matches;
	uint64_t hits;                        // that these may become
	uint32_t over;                        // the packet took too much work
	struct view views[BATCH];
	struct match found[ROOM];
};

// on_match looks round the needle that ends before byte to of what is scanned.
// It ends the scan when the packet has had its share of work.
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

// search_nuls looks for the needle that libhs cannot look for.
static void search_nuls(const struct machine *m, struct work *w, const uint8_t *data, size_t length)
{
	const uint8_t *nul = data;
	while (!w->over && (nul = memchr(nul, 0, data + length - nul)) != NULL)
		on_match(m->nul, 0, ++nul - data, 0, w);
}

// search_packet searches packet w->packet, of which nothing is known when it
// leaves w->over set.
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
// matches or hits is used, and returns the number of those that it has decided.
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

// compile makes the database of needles, whose texts lie one behind the other.
// It returns NULL and the reason.
static hs_database_t *compile(const char *texts, const size_t *lengths, const unsigned *ids, const unsigned *flags,
	uint32_t n, char *reason)
{
	hs_database_t *hs = NULL;
	hs_compile_error_t *error = NULL;
	const char **needles = calloc(n, sizeof *needles);
	if (needles == NULL) {
		snprintf(reason, REASON, "no memory");
		return NULL;
	}
	for (uint32_t i = 0; i < n; texts += lengths[i++])
		needles[i] = texts;
	if (hs_compile_lit_multi(needles, flags, ids, lengths, n, HS_MODE_BLOCK, NULL, &hs, &error) != HS_SUCCESS) {
		snprintf(reason, REASON, "%s", error->message);
		hs_free_compile_error(error);
	}
	free(needles);
	return hs;
}

static void *copy(const void *from, size_t size)
{
	void *to = malloc(size + 1);
	return to != NULL ? memcpy(to, from, size) : NULL;
}

static void free_machine(struct machine *m)
{
	if (m == NULL)
		return;
	hs_free_database(m->hs);
	free(m->needles);
	free(m->entries);
	free(m->texts);
	free(m);
}

// new_machine takes hs over and copies the rest. It returns NULL without memory.
static struct machine *new_machine(hs_database_t *hs, const struct needle *needles, size_t n,
	const struct entry *entries, size_t e, const char *texts, size_t size)
{
	struct machine *m = calloc(1, sizeof *m);
	if (m == NULL) {
		hs_free_database(hs);
		return NULL;
	}
	m->hs = hs;
	m->needles = copy(needles, n * sizeof *needles);
	m->entries = copy(entries, e * sizeof *entries);
	m->texts = copy(texts, size);
	if (m->needles == NULL || m->entries == NULL || m->texts == NULL) {
		free_machine(m);
		return NULL;
	}
	return m;
}

// fit makes w large enough for m and returns 0 without memory.
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
	"fmt"
	"math"
	"slices"
	"strings"
	"unsafe"

	"gomapi/internal/pkt"
)

// maxBatch is how many packets one call into C searches.
const maxBatch = C.BATCH

// maxSingle is up to how many needles libhs is told to report the first place
// only. It saves calls, and with one needle the rest of the packet, but libhs
// still looks at each place, and nothing limits that.
const maxSingle = 4

// A match says that an entry was found in a packet of the batch.
type match = C.struct_match

// A machine is the C side of a database. It does not change; the memory is C's.
type machine struct {
	c       *C.struct_machine
	entries int
	bytes   int
}

// newMachine compiles the needles of s, which has some.
func newMachine(s *set) (*machine, error) {
	from, to := s.bounds()
	hs, size, err := compileNeedles(s, from, to)
	if err != nil {
		return nil, err
	}
	needles := make([]C.struct_needle, len(s.needles))
	for i, n := range s.needles {
		if n.count <= C.CROWD {
			needles[i] = C.struct_needle{first: C.uint32_t(n.first), count: C.uint32_t(n.count)}
		}
	}
	entries, texts := s.layOut()
	c := C.new_machine(hs, unsafe.SliceData(needles), C.size_t(len(needles)),
		unsafe.SliceData(entries), C.size_t(len(entries)), (*C.char)(unsafe.Pointer(unsafe.SliceData(texts))), C.size_t(len(texts)))
	if c == nil {
		return nil, errors.New("no memory")
	}
	c.from, c.to, c.nul = C.uint32_t(from), C.uint32_t(to), C.NO_NEEDLE
	if i := slices.IndexFunc(s.needles, needle.isNUL); i >= 0 {
		c.nul = C.uint32_t(i)
	}
	size += len(needles)*C.sizeof_struct_needle + len(entries)*C.sizeof_struct_entry + len(texts)
	return &machine{c: c, entries: len(entries), bytes: size}, nil
}

// compileNeedles has libhs compile the needles for a scan of the bytes [from, to).
// It returns nil when there are none.
func compileNeedles(s *set, from, to uint32) (hs *C.hs_database_t, size int, err error) {
	var texts []byte
	var lengths []C.size_t
	var ids, flags []C.uint
	for i, n := range s.needles {
		if n.isNUL() {
			continue
		}
		flag := C.uint(0)
		if len(s.needles) <= maxSingle && s.firstDecides(n, from, to) {
			flag = C.HS_FLAG_SINGLEMATCH
		}
		texts = append(texts, n.text...)
		lengths, ids, flags = append(lengths, C.size_t(len(n.text))), append(ids, C.uint(i)), append(flags, flag)
	}
	if len(ids) == 0 {
		return nil, 0, nil
	}
	var reason [C.REASON]C.char
	hs = C.compile((*C.char)(unsafe.Pointer(unsafe.SliceData(texts))), unsafe.SliceData(lengths),
		unsafe.SliceData(ids), unsafe.SliceData(flags), C.uint32_t(len(ids)), &reason[0])
	if hs == nil {
		return nil, 0, errors.New(strings.ToValidUTF8("libhs: "+C.GoString(&reason[0]), "?"))
	}
	var n C.size_t
	if C.hs_database_size(hs, &n) != C.HS_SUCCESS || n > maxMachine {
		C.hs_free_database(hs)
		return nil, 0, fmt.Errorf("libhs makes %d bytes of them, %d are possible", n, maxMachine)
	}
	return hs, int(n), nil
}

// firstDecides reports whether the first place of the needle in the bytes
// [from, to) tells all: then libhs need not report others.
func (s *set) firstDecides(n needle, from, to uint32) bool {
	for _, e := range s.entries[n.first : n.first+n.count] {
		if len(s.strings[e.text]) != len(n.text) || e.from != from || e.to != to {
			return false
		}
	}
	return true
}

// layOut makes the entries for C, with the strings one behind the other.
func (s *set) layOut() (entries []C.struct_entry, texts []byte) {
	at := make([]int, len(s.strings))
	for i, t := range s.strings {
		at[i] = len(texts)
		texts = append(texts, t...)
	}
	for _, n := range s.needles {
		for i := n.first; i < n.first+n.count; i++ {
			e := s.entries[i]
			t := s.strings[e.text]
			entries = append(entries, C.struct_entry{
				text: C.uint32_t(at[e.text]), length: C.uint32_t(len(t)),
				behind: C.uint32_t(len(t) - len(n.text) - needleIn(t, n.text)),
				from:   C.uint32_t(e.from), to: C.uint32_t(e.to), hits: C.uint32_t(s.hits(i)),
			})
		}
	}
	return entries, texts
}

func (m *machine) size() int {
	if m == nil {
		return 0
	}
	return m.bytes
}

func (m *machine) free() {
	if m != nil {
		C.free_machine(m.c)
	}
}

// bench is where a machine works: memory of C, of one goroutine.
type bench struct {
	c     *C.struct_work
	views []C.struct_view // in C's memory, as is found
	found []match
}

// fit makes room for a machine.
func (b *bench) fit(m *machine) error {
	if b.c == nil {
		c := (*C.struct_work)(C.calloc(1, C.sizeof_struct_work))
		if c == nil {
			return errors.New("no memory")
		}
		*b = bench{c: c, views: c.views[:], found: c.found[:]}
	}
	if C.fit(b.c, m.c, C.uint32_t(m.entries)) == 0 {
		return errors.New("no memory, or a processor that libhs does not know")
	}
	return nil
}

func (b *bench) free() {
	C.free_work(b.c)
	*b = bench{}
}

// search searches up to maxBatch packets, until what it finds may become more
// than room hits. It returns the number of packets that it has decided and what it
// found in them, which is valid until the next call. over says that the packet
// behind these takes too much work. fit was called for m.
//
// C gets the addresses of the packets as numbers, in its own memory, and forgets
// them when it returns. That is sound because Scratch holds the batch meanwhile:
// so the packets live, and the compiler has put what Go allocated for them on
// the heap, which does not move, unlike stacks. Most lie in a ring of the kernel anyway.
func (b *bench) search(m *machine, pkts []*pkt.Packet, room int) (decided int, found []match, over bool) {
	for i, p := range pkts {
		n := min(len(p.Link), math.MaxInt32)
		b.views[i] = C.struct_view{data: C.uintptr_t(uintptr(unsafe.Pointer(unsafe.SliceData(p.Link)))), length: C.uint32_t(n)}
	}
	decided = int(C.search_batch(m.c, b.c, C.uint32_t(len(pkts)), C.uint64_t(room)))
	return decided, b.found[:b.c.matches], b.c.over != 0
}
