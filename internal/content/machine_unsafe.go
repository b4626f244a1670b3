package content

/*
#cgo pkg-config: libhs
#cgo CFLAGS: -O2
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "machine.h"

// compile compiles the needles; texts has their texts concatenated. On failure it
// returns NULL and sets the reason.
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
		snprintf(reason, REASON, "%s", error != NULL ? error->message : "it does not support this processor");
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

// new_machine takes ownership of hs and copies the rest. It returns NULL if memory
// runs out.
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
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// maxSingle is the maximum number of needles for which libhs is told to report
// only the first occurrence. This saves callbacks, and with one needle the rest
// of the scan. But libhs still checks each occurrence, and nothing limits that
// work.
const maxSingle = 4

// A machine is the C side of a database. It is constant; its memory belongs to
// C.
type machine struct {
	c       *C.struct_machine
	entries int
	bytes   int
}

// newMachine compiles the needles of s, which must have some.
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

// compileNeedles compiles the needles with libhs for a scan of the bytes [from,
// to). It returns nil if there are none.
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
		return nil, 0, fmt.Errorf("their libhs database has %d bytes, the limit is %d", n, maxMachine)
	}
	return hs, int(n), nil
}

// firstDecides reports whether the first occurrence of the needle in the bytes
// [from, to) is decisive, so that libhs need not report others.
func (s *set) firstDecides(n needle, from, to uint32) bool {
	for _, e := range s.entries[n.first : n.first+n.count] {
		if len(s.strings[e.text]) != len(n.text) || e.from != from || e.to != to {
			return false
		}
	}
	return true
}

// layOut converts the entries for C, and concatenates their strings.
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
