/*
 * records.c - takes the records of a function that are there, packed as one table. The
 * table lies where a packet buffer has its packet: it is valid until the next call for the
 * function, and released with the flow.
 */
#include <string.h>

#include "internal.h"
#include "layout.h"

/* Appends a record to the table and returns the end of the table. */
static uint8_t *append(uint8_t *to, const uint8_t *record, uint32_t length)
{
	memset(to, 0, TABLE_DATA);
	memcpy(to + TABLE_TS, record + RECORD_TS, sizeof(uint64_t));
	memcpy(to + TABLE_KIND, record + RECORD_KIND, sizeof(uint16_t));
	memcpy(to + TABLE_LENGTH, &length, sizeof length);
	memcpy(to + TABLE_DATA, record + RECORD_DATA, length);
	to += TABLE_DATA + length;
	for (; length % RECORD_ALIGN != 0; length++)
		*to++ = 0;
	return to;
}

/* Copies the records up to the end that is known. A record in the table is not larger than
   in the ring. */
static uint8_t *collect(struct ring *r, uint8_t *to, uint64_t *count)
{
	const uint8_t *record;
	uint32_t length;
	uint64_t end = r->end;
	while (r->next != end && ring_peek(r, &record, &length) == RING_RECORD) {
		if ((int64_t)(end - r->next) <= 0)
			break; /* damage: the known records ended with a skipped rest */
		to = append(to, record, length);
		ring_skip(r, length);
		++*count;
	}
	return to;
}

mapi_results_t *read_table(struct flow *f, struct function *fn)
{
	struct ring *r = &fn->ring;
	uint64_t count = 0, lost;
	if (LOAD(&f->closed))
		return ring_over(f, RING_GONE);
	enum ring_state state = ring_look(r);
	if (state != RING_RECORD && state != RING_EMPTY)
		return ring_over(f, state);
	if (state == RING_EMPTY) {
		ring_asks(r);
		if (flow_lost(f))
			return ring_over(f, RING_GONE);
	}
	size_t room = TABLE_HEAD + (size_t)(r->end - r->next);
	if (room > fn->packet_room && make_room(fn, room) != 0)
		return NULL;
	uint8_t *table = fn->packet, *end = collect(r, table + TABLE_HEAD, &count);
	ring_release(r);
	lost = ring_lost(r);
	if (ring_gone(r))
		return ring_over(f, RING_GONE);
	memcpy(table + TABLE_COUNT, &count, sizeof count);
	memcpy(table + TABLE_LOST, &lost, sizeof lost);
	fn->results.res = table;
	fn->results.size = (int)(end - table);
	return now(fn);
}
