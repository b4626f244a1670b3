/*
 * packet.c - takes packets. Each packet is copied out of the ring, because programs
 * change packets in place and the ring is read-only.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "internal.h"
#include "layout.h"

/* Makes room for a packet with its header, or for a table of records. */
int make_room(struct function *fn, size_t size)
{
	size_t room = fn->packet_room ? fn->packet_room : 4096;
	while (room < size)
		room *= 2;
	void *packet = map_memory(room);
	if (!packet)
		return fail(MAPID_MEM_ALLOCATION_ERROR, "no memory for %zu bytes of packets or records", size);
	if (fn->packet)
		munmap(fn->packet, fn->packet_room);
	fn->packet = packet;
	fn->packet_room = room;
	return 0;
}

/* Copies the record and releases its place in the ring. */
static struct mapipkt *keep(struct function *fn, const uint8_t *record, uint32_t caplen)
{
	size_t size = RECORD_DATA + (size_t)caplen;
	if (size > fn->packet_room && make_room(fn, size) != 0)
		return NULL;
	struct mapipkt *p = fn->packet;
	memcpy(p, record, size);
	p->caplen = caplen; /* the checked length: the ring may have changed since */
	ring_pass(&fn->ring, caplen);
	return p;
}

/* Takes the next packet. The caller is the reader. */
static struct mapipkt *take(struct flow *f, struct function *fn)
{
	const uint8_t *record;
	uint32_t caplen;
	for (;;) {
		if (LOAD(&f->closed))
			return ring_over(f, RING_GONE);
		enum ring_state state = ring_peek(&fn->ring, &record, &caplen);
		if (state == RING_RECORD) {
			struct mapipkt *p = keep(fn, record, caplen);
			return p && ring_gone(&fn->ring) ? ring_over(f, RING_GONE) : p;
		}
		ring_release(&fn->ring); /* a skipped rest of the ring is free too */
		if (state != RING_EMPTY)
			return ring_over(f, state);
		if (fn->from.no_wait) {
			ring_asks(&fn->ring);
			return flow_lost(f) ? ring_over(f, RING_GONE) : NULL;
		}
		if (ring_wait(f, fn) != 0)
			return NULL;
	}
}

static struct mapipkt *next_packet(struct flow *f, int fid)
{
	if (flow_status(f) == FLOW_INIT)
		return fail_null(MAPI_FLOW_NOT_CONNECTED, not_connected, f->fd);
	struct function *fn = function_find(f, fid);
	if (!fn)
		return fail_null(MAPI_INVALID_FID_FUNCID, no_function, f->fd, fid);
	if (!fn->from.ring || fn->from.series || fn->ring.records)
		return fail_null(MAPI_SHM_ERR, "function %d of flow %d is not a packet buffer: apply TO_BUFFER", fid, f->fd);
	if (reader_enter(f, fn) != 0)
		return NULL;
	struct mapipkt *p = take(f, fn);
	reader_leave(fn);
	return p;
}

PUBLIC struct mapipkt *mapi_get_next_pkt(int fd, int fid)
{
	struct flow *f = fid > 0 ? flow_of(fd, MAPI_INVALID_FID_FUNCID) : NULL;
	if (fid <= 0 && initialized() == 0)
		fail(MAPI_INVALID_FID_FUNCID, not_a_function, fid);
	if (!f)
		return NULL;
	struct mapipkt *p = next_packet(f, fid);
	flow_leave(f);
	return p;
}

/* Checks whether packets can be taken: 0, or -1 with the error. */
static int loopable(int fd, int fid, mapi_handler callback)
{
	if (fid <= 0)
		return initialized() == 0 ? fail(MAPI_INVALID_FID_FUNCID, not_a_function, fid) : -1;
	struct flow *f = flow_of(fd, MAPI_INVALID_FID_FUNCID);
	if (!f)
		return -1;
	int connected = flow_status(f) != FLOW_INIT;
	flow_leave(f);
	if (!connected)
		return fail(MAPI_FLOW_NOT_CONNECTED, not_connected, fd);
	return callback ? 0 : fail(MFUNCT_INVALID_ARGUMENT_4, "mapi_loop: the callback is NULL");
}

PUBLIC int mapi_loop(int fd, int fid, int cnt, mapi_handler callback)
{
	if (loopable(fd, fid, callback) != 0)
		return -1;
	for (int n = 0; cnt <= 0 || n < cnt; n += cnt > 0) {
		thread_error = 0;
		struct mapipkt *p = mapi_get_next_pkt(fd, fid);
		if (!p)
			return thread_error; /* 0 at the end of a file, and with NOWAIT if no packet is there */
		callback(p);
	}
	return 0;
}
