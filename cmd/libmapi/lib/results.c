/*
 * results.c - reads results: copies them out of shared memory, without a system call.
 */
#include <string.h>

#include <mapi/stats.h>

#include "internal.h"

/* The result of STATS in shared memory. Each sum is stored as two doubles to be added. */
struct shared_stats {
	uint64_t count, zero;
	double sum[2], sum2[2], max, min;
};
_Static_assert(sizeof(struct shared_stats) == sizeof(stats_t), "both have the same size");

static void convert_stats(stats_t *to, const struct shared_stats *from)
{
	memset(to, 0, sizeof *to);
	to->count = from->count;
	to->sum = (long double)from->sum[0] + from->sum[1];
	to->sum2 = (long double)from->sum2[0] + from->sum2[1];
	to->max = from->max;
	to->min = from->min;
}

static int read_slot(struct function *fn)
{
	struct shared_stats s;
	if (!fn->from.is_stats || fn->from.size != (int)sizeof s)
		return slot_read(fn->from.slot, fn->results.res, (size_t)fn->from.size);
	if (slot_read(fn->from.slot, &s, sizeof s) != 0)
		return -1;
	convert_stats(fn->results.res, &s);
	return 0;
}

mapi_results_t *now(struct function *fn)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	fn->results.ts = (unsigned long long)t.tv_sec * 1000000 + (unsigned long long)t.tv_nsec / 1000;
	return &fn->results;
}

static mapi_results_t *read_newest(struct flow *f, struct function *fn)
{
	if (flow_lost(f)) /* sets the error; the last value stays readable, as in the original */
		ring_over(f, RING_GONE);
	if (read_slot(fn) != 0)
		return fail_null(MAPI_SEM_ERR, "the result of function %d of flow %d remains half written: the daemon was stopped or killed, "
		                 "or writes it too often to be read; try again", fn->from.fid, f->fd);
	if (LOAD(&f->closed) || flow_status(f) == FLOW_CLOSED) /* the data may belong to another flow now, or be gone */
		return ring_over(f, RING_GONE);
	return now(fn);
}

/* Waits for the next entry of a series. The caller is the reader. */
static mapi_results_t *read_next(struct flow *f, struct function *fn)
{
	for (;;) {
		if (LOAD(&f->closed))
			return ring_over(f, RING_GONE);
		enum ring_state state = ring_entry(&fn->ring, fn->results.res, (size_t)fn->from.size);
		if (state == RING_RECORD)
			return now(fn);
		if (state != RING_EMPTY)
			return ring_over(f, state);
		if (ring_wait(f, fn) != 0)
			return NULL;
	}
}

static mapi_results_t *read_function(struct flow *f, int fid)
{
	mapi_results_t *results;
	if (flow_status(f) == FLOW_INIT)
		return fail_null(MAPI_FLOW_NOT_CONNECTED, not_connected, f->fd);
	struct function *fn = function_find(f, fid);
	if (!fn)
		return fail_null(MAPI_INVALID_FID_FUNCID, no_function, f->fd, fid);
	if (fn->from.slot)
		return read_newest(f, fn);
	if (!fn->from.series && !fn->ring.records)
		return fail_null(MAPI_SHM_ERR, "function %d of flow %d has no result", fid, f->fd);
	if (reader_enter(f, fn) != 0)
		return NULL;
	results = fn->ring.records ? read_table(f, fn) : read_next(f, fn);
	reader_leave(fn);
	return results;
}

PUBLIC mapi_results_t *mapi_read_results(int fd, int fid)
{
	struct flow *f = fid > 0 ? flow_of(fd, MAPI_INVALID_FLOW) : NULL;
	if (fid <= 0 && initialized() == 0)
		fail(MAPI_INVALID_FLOW, not_a_function, fid);
	if (!f)
		return NULL;
	mapi_results_t *results = read_function(f, fid);
	flow_leave(f);
	return results;
}
