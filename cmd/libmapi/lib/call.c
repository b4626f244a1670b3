/*
 * call.c - sends calls to the Go part and waits for the answers.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

/* How long a call may wait for a free slot, in s. The Go part answers each call within
   30 s, so a slot that stays taken longer belongs to another thread that has left its
   call by longjmp. */
enum { PATIENCE = 40 };

static int on_other_stack(void)
{
	stack_t stack;
	return sigaltstack(NULL, &stack) != 0 || (stack.ss_flags & SS_ONSTACK);
}

/* Claims a slot that this thread has left by longjmp: the frame of that call is no longer
   on the stack. The frames of calls that a handler has interrupted are still on the
   stack, at higher addresses, so they are not taken. */
static struct call *claim_left(const void *frame)
{
	if (on_other_stack())
		return NULL;
	for (int i = 0; i < CALL_SLOTS; i++) {
		struct call *c = &calls.slot[i];
		const void *thread = &thread_error;
		if (LOAD(&c->state) == CALL_DONE && LOAD(&c->thread) == thread && c->frame <= frame &&
		    __atomic_compare_exchange_n(&c->thread, &thread, NULL, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return c; /* no handler has claimed it first */
	}
	return NULL;
}

/* Claims a free slot, and waits for one if all are taken. */
static struct call *claim(const void *frame)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	struct timespec begun, now;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		for (int i = 0; i < CALL_SLOTS; i++) {
			uint32_t is_free = CALL_FREE;
			if (__atomic_compare_exchange_n(&calls.slot[i].state, &is_free, CALL_CLAIMED, 0, __ATOMIC_ACQ_REL,
			                                __ATOMIC_RELAXED))
				return &calls.slot[i];
		}
		struct call *left = claim_left(frame);
		if (left)
			return left;
		syscall(SYS_nanosleep, &moment, NULL); /* nanosleep(3) is a cancellation point */
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begun.tv_sec < PATIENCE);
	return fail_null(MCOM_SOCKET_ERROR, "all %d call slots are taken: signal handlers have left calls by longjmp", CALL_SLOTS);
}

struct call *call_begin(enum call_op op)
{
	if (load() != 0)
		return NULL;
	struct call *c = claim(__builtin_frame_address(0));
	if (!c)
		return NULL;
	STORE(&c->state, CALL_CLAIMED);
	memset((char *)c + sizeof c->state, 0, sizeof *c - sizeof c->state);
	c->frame = __builtin_frame_address(0);
	STORE(&c->thread, &thread_error);
	c->op = op;
	return c;
}

/* Rings, and takes the call back if nobody can hear it: 0, or -1 with the error. */
static int ring_bell(struct call *c)
{
	uint32_t ready = CALL_READY;
	if (syscall(SYS_sendto, calls.bell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) == 1 || errno == EAGAIN)
		return 0; /* a full socket rings as well */
	if (!__atomic_compare_exchange_n(&c->state, &ready, CALL_CLAIMED, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return 0; /* a goroutine has it */
	__atomic_sub_fetch(&calls.active, 1, __ATOMIC_ACQ_REL);
	return fail(MCOM_SOCKET_ERROR, "the program has closed a descriptor of the library: close descriptors before the first call");
}

/* Passes a call to the Go part: 0, or -1 with the error. */
static int hand_over(struct call *c)
{
	__atomic_add_fetch(&calls.active, 1, __ATOMIC_ACQ_REL);
	/* A goroutine that stops polling looks once more: one of the two sees the other. */
	__atomic_store_n(&c->state, CALL_READY, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&calls.attended, __ATOMIC_SEQ_CST) == 0 ? ring_bell(c) : 0;
}

void call_post(struct call *c)
{
	c->posted = 1;
	STORE(&c->thread, NULL);
	if (hand_over(c) != 0)
		call_end(c);
}

/* How often a caller polls for its answer before it sleeps. */
enum { CALL_LOOKS = 100 };

int call_send(struct call *c)
{
	const struct timespec moment = {.tv_sec = 1};
	uint32_t state;
	int saved = errno;
	if (hand_over(c) != 0) {
		errno = saved;
		return -1;
	}
	for (int i = 0; i < CALL_LOOKS && LOAD(&c->state) != CALL_DONE && LOAD(&calls.active) <= 1; i++)
		sched_yield();
	/* Signal handlers may run during the wait and make calls of their own. */
	while ((state = LOAD(&c->state)) != CALL_DONE) {
		if (usable() != 0)
			return -1; /* a handler has forked, and this is the child */
		/* Without a timeout the kernel would restart the wait after a handler, and the
		   child would never get here. */
		syscall(SYS_futex, &c->state, FUTEX_WAIT_PRIVATE, state, &moment, NULL, 0);
	}
	errno = saved;
	return c->code ? fail_from(c) : 0;
}

void call_end(struct call *c)
{
	STORE(&c->thread, NULL);
	STORE(&c->state, CALL_FREE);
}

int call_finish(struct call *c)
{
	int err = call_send(c);
	call_end(c);
	return err;
}

void guard_enter(struct guard *g)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&g->mutex);
	g->before = before;
}

void guard_leave(struct guard *g)
{
	sigset_t before = g->before;
	pthread_mutex_unlock(&g->mutex);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
