/*
 * wait.c - waits for packets and entries. A reader sleeps in recv(2) on the socket of its
 * ring. Signals therefore act as on any slow system call: a handler with SA_RESTART, as
 * signal(2) installs it, does not interrupt the wait, any other handler does. Closing the
 * flow, in a handler or from another thread, shuts the socket down and so ends the wait.
 * This wait is the only cancellation point of the library (pthreads(7)).
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/socket.h>

#include "internal.h"

/* Its address identifies the thread. */
static __thread char self;

/* Makes this thread the reader of a function. There is one reader at a time. The same
   thread may enter again, after a handler has left the wait by longjmp. */
int reader_enter(struct flow *f, struct function *fn)
{
	const void *none = NULL;
	if (LOAD(&fn->reader) == &self)
		return 0;
	if (!__atomic_compare_exchange_n(&fn->reader, &none, (const void *)&self, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return fail(MAPI_SEM_ERR, "function %d of flow %d is being read by another thread", fn->from.fid, f->fd);
	return 0;
}

void reader_leave(struct function *fn)
{
	STORE(&fn->reader, NULL);
}

/* How long another buffer of an offline device may block the daemon before a reader gives
   up, in ms. A thread that actually reads the other buffer takes packets much sooner. */
enum { STANDSTILL = 1000 };

static int elapsed(const struct timespec *since)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000);
}

/* Returns how long to wait in ms, -1 for no limit, or 0 with the error if the wait would
   never end: the daemon reads a capture file once for all flows, and waits for room in
   another buffer from which no thread takes packets. */
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
		fail(MAPI_SEM_ERR, "no packet can arrive: mapid waits until packets of function %d of flow %d are taken",
		     found.fid, found.fd);
	return left > 0 ? left : 0;
}

/* Sleeps until the writer wakes the reader. */
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
		return 0; /* the handler has closed the flow */
	if (n < 0 && errno == EINTR)
		return fail(MAPI_SEM_ERR, "a signal has interrupted the wait for function %d of flow %d", fn->from.fid, f->fd);
	if (n <= 0)
		fn->ring.hung_up = 1; /* records written before are still read */
	return 0;
}

struct wait {
	struct flow *flow;
	struct function *function;
};

/* Cleans up after a thread that was cancelled in the wait. */
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
	/* The writer stores the position and then loads the sleep word. The reader stores the
	   sleep word and then loads the position. So at least one sees the other's store. */
	if (ring_look(&fn->ring) == RING_EMPTY && !LOAD(&f->closed))
		err = listen_to(f, fn);
	ring_sleeps(&fn->ring, 0);
	pthread_cleanup_pop(0);
	return err;
}

void *ring_over(struct flow *f, enum ring_state state)
{
	if (LOAD(&f->closed))
		return fail_null(MAPI_INVALID_FLOW, "flow %d was closed by this program", f->fd);
	if (state == RING_END)
		return NULL; /* the end of the file is no error */
	if (state == RING_DAMAGED)
		return fail_null(MAPI_SEM_ERR, "the packet buffer of flow %d is damaged", f->fd);
	return fail_null(MCOM_SOCKET_ERROR, "mapid has ended or closed flow %d", f->fd);
}
