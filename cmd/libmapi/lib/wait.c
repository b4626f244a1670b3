/*
 * wait.c - waiting for packets and entries. A reader sleeps in recv(2) on the
 * socket of its ring, so a signal ends that as it ends other slow calls: a handler
 * with SA_RESTART, as signal(2) installs it, does not, other handlers do. Closing the
 * flow, in a handler or by another thread, shuts the socket down. It is the only
 * cancellation point of the library (pthreads(7)).
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/socket.h>

#include "internal.h"

/* A place per thread, as its name. */
static __thread char self;

/* One thread at a time takes packets of a function. The same thread may come again: a
   handler has left it by longjmp. */
int reader_enter(struct flow *f, struct function *fn)
{
	const void *none = NULL;
	if (LOAD(&fn->reader) == &self)
		return 0;
	if (!__atomic_compare_exchange_n(&fn->reader, &none, (const void *)&self, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return fail(MAPI_SEM_ERR, "another thread is taking packets of function %d of flow %d", fn->from.fid, f->fd);
	return 0;
}

void reader_leave(struct function *fn)
{
	STORE(&fn->reader, NULL);
}

/* How long another buffer of a capture file may keep the daemon waiting before a
   reader gives up, in ms: a thread that is at work on it takes packets in less. */
enum { STANDSTILL = 1000 };

static int elapsed(const struct timespec *since)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000);
}

/* Returns how long to wait in ms, -1 for ever, 0 when that would be for ever: the
   daemon, which reads a capture file once for all flows, waits for room in another
   buffer, and nobody takes packets of that. */
static int patience(struct flow *f, struct function *fn)
{
	struct awaited found;
	if (!flow_awaited(f, fn, &found)) {
		fn->since = (struct timespec){0};
		return -1;
	}
	int same = fn->suspect.fd == found.fd && fn->suspect.fid == found.fid && fn->suspect.position == found.position;
	if (fn->since.tv_sec == 0 || !same) {
		fn->suspect = found;
		clock_gettime(CLOCK_MONOTONIC, &fn->since);
	}
	int left = STANDSTILL - elapsed(&fn->since);
	if (left <= 0)
		fail(MAPI_SEM_ERR, "no packet can come: mapid waits until packets of function %d of flow %d are taken",
		     found.fid, found.fd);
	return left > 0 ? left : 0;
}

/* Sleeps until the writer sends something. */
static int listen_to(struct flow *f, struct function *fn)
{
	struct pollfd ready = {.fd = fn->ring.sock, .events = POLLIN};
	char heard[64];
	int wait = patience(f, fn);
	if (wait == 0)
		return -1;
	if (wait > 0 && poll(&ready, 1, wait) <= 0)
		return 0;
	ssize_t n = recv(fn->ring.sock, heard, sizeof heard, 0);
	if (n < 0 && errno == EINTR && LOAD(&f->closed))
		return 0; /* by the handler */
	if (n < 0 && errno == EINTR)
		return fail(MAPI_SEM_ERR, "a signal has interrupted the wait on function %d of flow %d", fn->from.fid, f->fd);
	if (n <= 0)
		fn->ring.hung_up = 1; /* and look once more for what came before */
	return 0;
}

struct wait {
	struct flow *flow;
	struct function *function;
};

/* Ends what a thread was at that is cancelled. */
static void cancelled(void *arg)
{
	struct wait *w = arg;
	ring_sleeps(&w->function->ring, 0);
	reader_leave(w->function);
	flow_leave(w->flow);
}

int ring_wait(struct flow *f, struct function *fn)
{
	int err = 0;
	struct wait w = {f, fn};
	pthread_cleanup_push(cancelled, &w);
	ring_sleeps(&fn->ring, 1);
	/* The writer stores the position and then loads sleep: one of the two sees the
	   other's store. */
	if (ring_look(&fn->ring) == RING_EMPTY && !LOAD(&f->closed))
		err = listen_to(f, fn);
	ring_sleeps(&fn->ring, 0);
	pthread_cleanup_pop(0);
	return err;
}

void *ring_over(struct flow *f, enum ring_state state)
{
	if (LOAD(&f->closed))
		return fail_null(MAPI_INVALID_FLOW, "flow %d is closed", f->fd);
	if (state == RING_END)
		return NULL; /* no error: the end of the file */
	if (state == RING_DAMAGED)
		return fail_null(MAPI_SEM_ERR, "the packet buffer of flow %d is damaged", f->fd);
	return fail_null(MCOM_SOCKET_ERROR, "the daemon has ended, or has closed flow %d", f->fd);
}
