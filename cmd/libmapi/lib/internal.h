/*
 * internal.h - the parts of the C library and what they know of each other.
 *
 *	load.c     the Go part is loaded at the first call
 *	call.c     a call goes to the Go part and comes back
 *	error.c    the last error
 *	flow.c     flows and functions by number; when their memory goes back
 *	shared.c   results and rings in the memory of the daemon; its layout
 *	wait.c     waiting for packets and entries
 *	results.c, packet.c             reading, without the Go part
 *	control.c, apply.c, offline.c, info.c   calls, through it
 *
 * Signal handlers may call anything that here is called without a lock. Locks are
 * held for moments, with all signals blocked.
 */
#ifndef LIBMAPI_INTERNAL_H
#define LIBMAPI_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "call.h"

#define PUBLIC __attribute__((visibility("default")))

/* Words that threads and handlers share. */
#define LOAD(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define STORE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* A lock of which no handler on the same thread can stand in the way. */
struct guard {
	pthread_mutex_t mutex;
	sigset_t before;
};
void guard_enter(struct guard *g);
void guard_leave(struct guard *g);

/* error.c. All return -1, or NULL. */
int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *fail_null(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
int fail_from(const struct call *c);
extern __thread int thread_error; /* number of the last error of this thread */
void error_in_child(void); /* another thread of the parent may have held the lock */
extern const char not_initialized[], not_a_flow[], not_a_function[], no_flow[], not_connected[], no_function[];

/* load.c */
extern struct calls calls;
int load(void);       /* 0, or -1 with the error */
int usable(void);     /* 0, or -1: the process has forked after the first call */
int initialized(void); /* 0, or -1: nothing was created or told yet, or not usable */
void set_initialized(void);

/* call.c */
struct call *call_begin(enum call_op op);   /* NULL with the error */
int call_send(struct call *c);              /* waits; 0, or -1 with the error */
void call_end(struct call *c);
int call_finish(struct call *c);            /* send and end */
void call_post(struct call *c);             /* send and wait for nothing */

/* shared.c */
struct ring {
	const uint8_t *data; /* behind the head */
	uint64_t size;       /* a power of two */
	const uint8_t *head;
	uint8_t *page;
	uint64_t next;  /* place of the next record */
	uint64_t freed; /* place up to which the writer has the ring back */
	uint64_t end;   /* end of the last record known */
	uint64_t poked; /* last wish of the writer that was answered */
	uint64_t state; /* as loaded before end */
	uint32_t entry; /* bytes of an entry of a series, rounded up; 0: packets */
	int damaged;
	int hung_up; /* the daemon's end of the socket is closed */
	int sock;
};
enum ring_state { RING_RECORD, RING_EMPTY, RING_END, RING_GONE, RING_DAMAGED };
void ring_open(struct ring *r, const struct call_function *from);
enum ring_state ring_peek(struct ring *r, const uint8_t **record, uint32_t *caplen);
void ring_pass(struct ring *r, uint32_t caplen);
enum ring_state ring_entry(struct ring *r, void *entry, size_t size);
enum ring_state ring_look(struct ring *r); /* RING_RECORD: there is one */
void ring_release(struct ring *r);
void ring_sleeps(struct ring *r, int sleeps);
void ring_asks(struct ring *r);
int ring_untouched(const struct ring *r);
int ring_awaited(const struct ring *r);
uint64_t ring_position(const struct ring *r);
int slot_read(const uint64_t *slot, void *result, size_t size); /* 0, or -1: half written */
uint64_t flow_status(const uint64_t *place);

/* flow.c */
struct awaited {
	int fd, fid; /* a buffer for which the daemon waits */
	uint64_t position; /* and where its reader is */
};
struct function {
	struct function *next;
	struct call_function from;
	mapi_results_t results;
	struct ring ring;
	const void *reader; /* thread that takes packets; NULL: none */
	void *packet;       /* the last one; mapped */
	size_t packet_room;
	struct awaited suspect; /* wait.c: what stands in the way of the next packet */
	struct timespec since;  /* and since when; 0: nothing */
};
struct flow {
	struct flow *next;    /* of the same bucket */
	struct flow *retired; /* next one whose memory is to go back */
	int fd, device;
	const uint64_t *place;
	uint32_t connection;
	int closed;
	int users; /* threads at work on it */
	int told;  /* that packets waited when it had finished */
	struct function *functions;
};
int flow_add(const struct call *c);          /* fd, or -1 with the error */
struct flow *flow_enter(int fd);             /* NULL: none */
void flow_leave(struct flow *f);
int flow_lost(const struct flow *f);         /* its connection is no more */
struct flow *flow_of(int fd, int bad);       /* flow_enter with the usual checks and error */
struct function *function_add(struct flow *f, const struct call_function *from);
struct function *function_find(const struct flow *f, int fid);
int flow_retire(int fd);                     /* 1: it was open until now */
void flow_retire_device(int device);
void flow_reap(void);                        /* gives memory of closed flows back */
int flow_untouched(struct flow *f);
int flow_awaited(const struct flow *f, const struct function *but, struct awaited *found);
void *map_memory(size_t size);               /* zero; NULL: none */

/* wait.c */
int reader_enter(struct flow *f, struct function *fn); /* 0, or -1 with the error */
void reader_leave(struct function *fn);
int ring_wait(struct flow *f, struct function *fn);    /* 0: look again; -1 with the error */
void *ring_over(struct flow *f, enum ring_state state); /* NULL, with the error if it is one */

#endif
