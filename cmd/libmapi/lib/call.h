/*
 * call.h - what the C library and its Go part share: slots, in which calls go over
 * and answers come back. A caller fills a slot, posts it and sleeps until the Go
 * part says that it is done. Slots are static, so that a call needs no memory and
 * may be made in a signal handler, and that an answer finds its place also when the
 * caller has left it by longjmp.
 */
#ifndef LIBMAPI_CALL_H
#define LIBMAPI_CALL_H

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mapi.h>

enum {
	CALL_VERSION = 2, /* of this file; both sides must agree */
	CALL_SLOTS = 64,  /* calls at a time; more wait for a slot */
	CALL_ARGS = 16,   /* of a function */
	CALL_LETTERS = 64,
	CALL_NAMES = 16,  /* of capture files, allocated ahead */
};

enum call_state { CALL_FREE, CALL_CLAIMED, CALL_READY, CALL_TAKEN, CALL_DONE };

enum call_op {
	CALL_CREATE_FLOW,          /* text: device */
	CALL_CREATE_OFFLINE_FLOW,  /* text: path, number: format */
	CALL_CREATE_DEVICE,        /* text: path, number: format; gives name, allocated */
	CALL_START_DEVICE,         /* text: name */
	CALL_DELETE_DEVICE,        /* text: name, freed if CALL_CREATE_DEVICE gave it; gives device */
	CALL_LETTERS_OF,           /* fd, text: function; gives letters of the original's arguments */
	CALL_APPLY,                /* fd, text: function, count, wide, args; gives function */
	CALL_APPLY_ARRAY,          /* fd, text: function, count, array; gives function */
	CALL_CONNECT,              /* fd */
	CALL_CLOSE,                /* fd */
	CALL_RELEASE,              /* fd: its memory is no longer used */
	CALL_STATS,                /* text: device; gives stat */
	CALL_DEVICE_INFO,          /* number, next; gives device_info */
	CALL_LIBRARY_INFO,         /* number, next; gives library_info */
	CALL_LIBFUNCT_INFO,        /* number: library, fid: function, next; gives libfunct_info */
	CALL_FLOW_INFO,            /* fd, next; gives flow_info */
	CALL_FUNCTION_INFO,        /* fd, fid, next; gives function_info */
};

/* Where the values of a function lie. The memory stays until CALL_RELEASE. */
struct call_function {
	int fid;
	const uint64_t *slot; /* sequence word and result; NULL: none */
	int size;             /* bytes of the result, or of an entry of a series */
	int is_stats;         /* sums are pairs of double, not long double */
	const void *ring;     /* packets or series with their head; NULL: none */
	size_t ring_size;     /* with the head */
	void *page;           /* what the reader of the ring writes */
	int sock;             /* on which it sleeps; the C library closes it */
	int series;           /* the ring holds entries of a series */
	int no_wait;          /* the flag of TO_BUFFER */
};

struct call {
	uint32_t state; /* enum call_state; a futex */
	enum call_op op;
	int posted; /* nobody waits for the answer */
	const void *thread, *frame; /* who waits, and where on its stack; the C library's */

	/* What is asked for. Pointers are the caller's. */
	int fd, fid, number, next, count;
	unsigned int wide; /* bit i: args[i] has 64 bits, otherwise it is an int */
	uint64_t args[CALL_ARGS];
	const char *text;
	char **array;

	/* The answer. */
	int code; /* 0: done */
	char message[MAPI_ERRORSTR_LENGTH];
	int device;            /* number of the capture file of a flow; 0: live */
	const uint64_t *place; /* of the flow: its state comes first */
	uint32_t connection;   /* of the flow, counted from 1 */
	struct call_function function;
	char *name;
	char letters[CALL_LETTERS];
	struct mapi_stat stat;
	mapi_device_info_t device_info;
	mapi_lib_info_t library_info;
	mapi_libfunct_info_t libfunct_info;
	mapi_flow_info_t flow_info;
	mapi_function_info_t function_info;
};

struct calls {
	int version; /* CALL_VERSION */
	size_t size; /* sizeof(struct calls) */
	uint32_t lost; /* connections up to this one are no more */
	uint32_t active; /* calls that are with the Go part */
	sem_t posted; /* one for each slot that is CALL_READY */
	char *names[CALL_NAMES]; /* the Go part's */
	struct call slot[CALL_SLOTS];
};

/* How often one side looks for the other before it sleeps. A program that sets up flows
   makes one call after the other. With several calls at a time others need the
   processors. */
enum { CALL_LOOKS = 100 };

/* Looks for the next call. */
static inline void call_expect(struct calls *calls)
{
	for (int i = 0; i < CALL_LOOKS && __atomic_load_n(&calls->active, __ATOMIC_ACQUIRE) == 0; i++)
		sched_yield();
}

/* Waits for the next call, for the Go part. */
static inline struct call *call_next(struct calls *calls)
{
	for (;;) {
		call_expect(calls);
		while (sem_wait(&calls->posted) != 0)
			;
		for (int i = 0; i < CALL_SLOTS; i++) {
			uint32_t ready = CALL_READY;
			if (__atomic_compare_exchange_n(&calls->slot[i].state, &ready, CALL_TAKEN, 0, __ATOMIC_ACQ_REL,
			                                __ATOMIC_RELAXED))
				return &calls->slot[i];
		}
	}
}

/* Ends a call, for the Go part. */
static inline void call_done(struct calls *calls, struct call *c)
{
	__atomic_sub_fetch(&calls->active, 1, __ATOMIC_ACQ_REL);
	if (c->posted) {
		__atomic_store_n(&c->state, CALL_FREE, __ATOMIC_RELEASE);
		return;
	}
	__atomic_store_n(&c->state, CALL_DONE, __ATOMIC_RELEASE);
	syscall(SYS_futex, &c->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#endif
