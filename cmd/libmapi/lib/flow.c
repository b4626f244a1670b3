/*
 * flow.c - flows and functions by their numbers.
 *
 * A lookup takes no lock; adding and removing a flow do. A closed flow leaves the table
 * at once. Its memory is released only when the next flow is created and no call on the
 * closed flow is in progress. So a result stays valid for another thread, or for the code
 * that the closing signal handler interrupted.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/socket.h>

#include "internal.h"

enum { BUCKETS = 4096 };

static struct guard guard = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static struct flow *table[BUCKETS];
static struct flow *retired; /* closed flows; the guard protects the list */
static int inside;           /* lookups in progress */

static struct flow **bucket(int fd)
{
	return &table[(unsigned int)fd % BUCKETS];
}

/* Maps memory. Unlike malloc, this is safe in a signal handler. */
void *map_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

int flow_add(const struct call *c)
{
	struct flow *f = map_memory(sizeof *f);
	if (!f)
		return fail(MAPID_MEM_ALLOCATION_ERROR, "no memory for flow %d", c->fd);
	*f = (struct flow){.fd = c->fd, .device = c->device, .place = c->place, .memory = c->memory, .connection = c->connection};
	guard_enter(&guard);
	f->next = *bucket(f->fd);
	STORE(bucket(f->fd), f);
	guard_leave(&guard);
	set_initialized();
	return c->fd;
}

struct flow *flow_enter(int fd)
{
	__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	struct flow *f = LOAD(bucket(fd));
	while (f && f->fd != fd)
		f = LOAD(&f->next);
	if (f)
		__atomic_add_fetch(&f->users, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	return f;
}

void flow_leave(struct flow *f)
{
	__atomic_sub_fetch(&f->users, 1, __ATOMIC_SEQ_CST);
}

int flow_lost(const struct flow *f)
{
	return LOAD(&calls.lost) >= f->connection;
}

struct flow *flow_of(int fd, int bad)
{
	if (initialized() != 0)
		return NULL;
	if (fd <= 0)
		return fail_null(bad, not_a_flow, fd);
	struct flow *f = flow_enter(fd);
	return f ? f : fail_null(MAPI_INVALID_FLOW, no_flow, fd);
}

struct function *function_add(struct flow *f, const struct call_function *from)
{
	struct function *fn = map_memory(sizeof *fn + (size_t)from->size);
	if (!fn)
		return NULL;
	fn->from = *from;
	fn->results.res = fn + 1;
	fn->results.size = from->size;
	if (from->ring)
		ring_open(&fn->ring, from);
	guard_enter(&guard);
	fn->next = f->functions;
	STORE(&f->functions, fn);
	guard_leave(&guard);
	return fn;
}

struct function *function_find(const struct flow *f, int fid)
{
	struct function *fn = LOAD(&f->functions);
	while (fn && fn->from.fid != fid)
		fn = fn->next;
	return fn;
}

/* Removes a flow from the table. The caller holds the lock. */
static void retire(struct flow **at)
{
	struct flow *f = *at;
	STORE(at, f->next);
	f->retired = retired;
	retired = f;
	STORE(&f->closed, 1);
	for (struct function *fn = f->functions; fn; fn = fn->next)
		if (fn->from.ring)
			shutdown(fn->ring.sock, SHUT_RDWR); /* wakes its reader */
}

int flow_retire(int fd)
{
	guard_enter(&guard);
	struct flow **at = bucket(fd);
	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	int found = *at != NULL;
	if (found)
		retire(at);
	guard_leave(&guard);
	return found;
}

void flow_retire_device(int device)
{
	guard_enter(&guard);
	for (int i = 0; device != 0 && i < BUCKETS; i++)
		for (struct flow **at = &table[i]; *at;)
			if ((*at)->device == device)
				retire(at);
			else
				at = &(*at)->next;
	guard_leave(&guard);
}

/* Takes the flows without calls in progress off the list. The caller holds the lock. */
static struct flow *unused(void)
{
	struct flow *list = NULL;
	if (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) != 0)
		return NULL;
	for (struct flow **at = &retired; *at;) {
		struct flow *f = *at;
		if (__atomic_load_n(&f->users, __ATOMIC_SEQ_CST) != 0) {
			at = &f->retired;
			continue;
		}
		*at = f->retired;
		f->retired = list;
		list = f;
	}
	return list;
}

static void function_free(struct function *fn)
{
	if (fn->from.ring)
		syscall(SYS_close, fn->ring.sock); /* close(3) is a cancellation point */
	if (fn->packet)
		munmap(fn->packet, fn->packet_room);
	munmap(fn, sizeof *fn + (size_t)fn->from.size);
}

void flow_reap(void)
{
	guard_enter(&guard);
	struct flow *list = unused();
	guard_leave(&guard);
	for (struct flow *f = list, *following; f; f = following) {
		following = f->retired;
		struct call *c = call_begin(CALL_RELEASE);
		if (c) {
			c->fd = f->fd;
			call_post(c);
		}
		for (struct function *fn = f->functions, *next; fn; fn = next) {
			next = fn->next;
			function_free(fn);
		}
		munmap(f, sizeof *f);
	}
}

/* Reports whether a finished flow has packets and the program has asked for none of them.
   It reports this once per flow: otherwise a program that waits for the end would wait
   for ever. */
int flow_untouched(struct flow *f)
{
	struct function *fn = LOAD(&f->functions);
	while (fn && (!fn->from.ring || !ring_untouched(&fn->ring)))
		fn = fn->next;
	return fn && !__atomic_exchange_n(&f->told, 1, __ATOMIC_SEQ_CST);
}

/* Finds a full buffer of the same offline device for which the daemon waits. */
static int awaited_in(int device, const struct function *but, struct awaited *found)
{
	for (int i = 0; i < BUCKETS; i++)
		for (struct flow *f = LOAD(&table[i]); f; f = LOAD(&f->next)) {
			struct function *fn = f->device == device ? LOAD(&f->functions) : NULL;
			for (; fn; fn = fn->next)
				if (fn != but && fn->from.ring && !LOAD(&f->closed) && ring_awaited(&fn->ring)) {
					*found = (struct awaited){f->fd, fn->from.fid, ring_position(&fn->ring)};
					return 1;
				}
		}
	return 0;
}

int flow_awaited(const struct flow *f, const struct function *but, struct awaited *found)
{
	if (f->device == 0)
		return 0; /* a live device never waits */
	__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	int is = awaited_in(f->device, but, found);
	__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	return is;
}
