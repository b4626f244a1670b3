/*
 * shared.c - reads results and rings in the memory of the daemon. Every value is checked
 * before it is used. The Go part has checked the size and the seals of the memory.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"
#include "layout.h"

_Static_assert(RECORD_DATA == offsetof(struct mapipkt, pkt) && RECORD_CAP == offsetof(struct mapipkt, caplen),
               "a record has the layout of struct mapipkt");

static uint64_t word(const uint8_t *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

/* Reports whether the daemon has taken memory back. What was copied from it before may then
   be zeros. */
static int taken_back(const uint8_t *magic)
{
	atomic_thread_fence(memory_order_acquire);
	return word(magic) == 0;
}

uint64_t flow_status(const struct flow *f)
{
	uint64_t status = word((const uint8_t *)f->place + FLOW_STATUS);
	return taken_back((const uint8_t *)f->memory + MEMORY_MAGIC) ? FLOW_CLOSED : status;
}

int ring_gone(const struct ring *r)
{
	return taken_back(r->head + HEAD_MAGIC);
}

static void copy_words(void *to, const uint8_t *from, size_t size)
{
	uint64_t w;
	for (; size >= sizeof w; size -= sizeof w, from += sizeof w, to = (char *)to + sizeof w) {
		w = word(from);
		memcpy(to, &w, sizeof w);
	}
	if (size > 0) {
		w = word(from);
		memcpy(to, &w, size);
	}
}

/* How often a reader polls while the same write is in progress, and how long it tries to
   read between writes, in s. */
enum { TRIES = 1 << 20, PATIENCE = 1 };

static int wide_read(const uint8_t *slot, void *result, size_t size)
{
	struct timespec begun = {0}, now;
	uint64_t last = 0;
	for (int left = TRIES; left > 0; left--) {
		uint64_t before = word(slot + SLOT_SEQ);
		if (before % 2 == 0) {
			copy_words(result, slot + SLOT_RESULT, size);
			if (word(slot + SLOT_SEQ) == before)
				return 0;
		}
		if (before != last) {
			clock_gettime(CLOCK_MONOTONIC, &now);
			if (begun.tv_sec == 0)
				begun = now;
			else if (now.tv_sec - begun.tv_sec > PATIENCE)
				return -1;
			left = TRIES;
			last = before;
		}
		sched_yield();
	}
	return -1;
}

int slot_read(const uint64_t *slot, void *result, size_t size)
{
	const uint8_t *at = (const uint8_t *)slot;
	if (size > sizeof(uint64_t))
		return wide_read(at, result, size);
	copy_words(result, at + SLOT_RESULT, size);
	return 0;
}

void ring_open(struct ring *r, const struct call_function *from)
{
	r->head = from->ring;
	r->data = r->head + HEAD_SIZE;
	r->size = from->ring_size - HEAD_SIZE;
	r->page = from->page;
	r->entry = (uint32_t)word(r->head + HEAD_ENTRY);
	r->records = r->entry == OF_RECORDS;
	if (r->records)
		r->entry = 0;
	r->next = r->freed = r->end = ring_position(r);
	r->sock = from->sock;
}

/* Loads the writer's position. It loads the state first: if the state is final, so is the
   position. */
enum ring_state ring_look(struct ring *r)
{
	if (r->damaged)
		return RING_DAMAGED;
	r->state = word(r->head + HEAD_STATE);
	uint64_t end = word(r->head + HEAD_POSITION), ahead = end - r->next;
	if (ring_gone(r))
		return RING_GONE;
	if ((r->entry == 0 && ahead > r->size) || ahead % RECORD_ALIGN != 0) {
		r->damaged = 1;
		return RING_DAMAGED;
	}
	r->end = end;
	if (ahead != 0)
		return RING_RECORD;
	if (r->state == STATE_ENDED)
		return RING_END;
	return r->state != STATE_OPEN || r->hung_up ? RING_GONE : RING_EMPTY;
}

/* Zeros are not damage if the memory was taken back. */
static enum ring_state damaged(struct ring *r)
{
	if (ring_gone(r))
		return RING_GONE;
	r->damaged = 1;
	return RING_DAMAGED;
}

static uint64_t record_size(uint64_t caplen)
{
	return (RECORD_DATA + caplen + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
}

/* Finds the next packet. It loads the length once, so that the checked length is the one
   in use. */
enum ring_state ring_peek(struct ring *r, const uint8_t **record, uint32_t *caplen)
{
	enum ring_state state;
	for (;;) {
		if (r->next == r->end && (state = ring_look(r)) != RING_RECORD)
			return state;
		uint64_t at = r->next & (r->size - 1), rest = r->size - at, known = r->end - r->next;
		uint32_t length = RECORD_SKIP;
		if (rest >= RECORD_DATA)
			length = __atomic_load_n((const uint32_t *)(r->data + at + RECORD_CAP), __ATOMIC_RELAXED);
		if (length != RECORD_SKIP) {
			if (record_size(length) > known || record_size(length) > rest)
				return damaged(r);
			*record = r->data + at;
			*caplen = length;
			return RING_RECORD;
		}
		if (rest > known)
			return damaged(r);
		r->next += rest;
	}
}

/* Moves on to the next record. */
void ring_skip(struct ring *r, uint32_t caplen)
{
	r->next += record_size(caplen);
}

/* Moves on to the record after a copied packet. */
void ring_pass(struct ring *r, uint32_t caplen)
{
	ring_skip(r, caplen);
	ring_release(r);
}

uint64_t ring_lost(const struct ring *r)
{
	return word(r->head + HEAD_FULL) + word(r->head + HEAD_TOO_LARGE);
}

/* Returns the position of the oldest entry that is certainly intact. */
static uint64_t oldest(struct ring *r)
{
	ring_look(r);
	return r->end >= r->size ? r->end - r->size + r->entry : 0;
}

/* Copies the oldest entry of a series that was not overwritten during the copy. */
enum ring_state ring_entry(struct ring *r, void *entry, size_t size)
{
	enum ring_state state;
	for (;;) {
		if (r->next == r->end && (state = ring_look(r)) != RING_RECORD)
			return state;
		uint64_t first = oldest(r);
		if (r->damaged)
			return RING_DAMAGED;
		if (r->next < first) {
			r->next = first;
			continue;
		}
		copy_words(entry, r->data + (r->next & (r->size - 1)), size);
		if (ring_gone(r))
			return RING_GONE;
		if (r->next < oldest(r))
			continue; /* the entry may have been overwritten during the copy */
		r->next += r->entry;
		ring_release(r);
		return RING_RECORD;
	}
}

/* Releases the ring up to the next record, and wakes the writer if it waits for this
   position. */
void ring_release(struct ring *r)
{
	if (r->freed == r->next)
		return;
	r->freed = r->next;
	__atomic_store_n((uint64_t *)(r->page + PAGE_READ), r->next, __ATOMIC_SEQ_CST);
	uint64_t want = __atomic_load_n((const uint64_t *)(r->head + HEAD_WANT), __ATOMIC_SEQ_CST);
	if (want == 0 || want == r->poked || r->next < want)
		return;
	r->poked = want;
	/* Errors do not matter: a full socket wakes the writer too, and a broken one has no
	   writer. The system call is direct because send(3) is a cancellation point. */
	syscall(SYS_sendto, r->sock, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

/* Tells the writer whether the reader sleeps: the word becomes odd or even and always
   increases. After a longjmp out of a sleep the same state may be set twice. */
void ring_sleeps(struct ring *r, int sleeps)
{
	uint64_t *at = (uint64_t *)(r->page + PAGE_SLEEP);
	uint64_t v = __atomic_load_n(at, __ATOMIC_RELAXED);
	__atomic_store_n(at, v + 1 + (v % 2 == (uint64_t)sleeps), __ATOMIC_SEQ_CST);
}

/* Tells the daemon that the program takes packets, if there was no packet yet and the
   reader has never slept. */
void ring_asks(struct ring *r)
{
	uint64_t *at = (uint64_t *)(r->page + PAGE_SLEEP);
	if (__atomic_load_n(at, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(at, 2, __ATOMIC_SEQ_CST);
}

/* Reports whether the ring has packets and the program has taken none. */
int ring_untouched(const struct ring *r)
{
	return r->entry == 0 && word(r->page + PAGE_READ) == 0 && word(r->head + HEAD_POSITION) != 0;
}

int ring_awaited(const struct ring *r)
{
	return word(r->head + HEAD_WANT) != 0;
}

uint64_t ring_position(const struct ring *r)
{
	return word(r->page + PAGE_READ);
}
