/*
 * internal.h - declarations that the files of the C library share.
 *
 *	load.c     loads the Go part at the first call
 *	call.c     sends calls to the Go part and receives the answers
 *	error.c    the last error
 *	flow.c     flows and functions by number, and when their memory is released
 *	shared.c   reads results and rings in the memory of the daemon
 *	wait.c     waits for packets and entries
 *	results.c, records.c, packet.c          reading, without the Go part
 *	control.c, apply.c, offline.c, info.c   calls to the Go part
 *
 * Without a lock the code calls only what is safe in a signal handler. Locks are held
 * only briefly, with all signals blocked.
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

/* Access to words that threads and signal handlers share. */
#define LOAD(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define STORE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* A lock that blocks all signals, so that a handler cannot deadlock with the thread that
   it interrupts. */
struct guard {
	pthread_mutex_t mutex;
	sigset_t before;
};
void guard_enter(struct guard *g);
void guard_leave(struct guard *g);

/* error.c. The fail functions return -1, or NULL. */
int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *fail_null(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
int fail_from(const struct call *c);
extern __thread int thread_error; /* number of the last error of this thread */
void error_in_child(void); /* resets the lock, which another thread of the parent may have held */
extern const char not_initialized[], not_a_flow[], not_a_function[], no_flow[], not_connected[], no_function[];

/* load.c */
extern struct calls calls;
int load(void);       /* 0, or -1 with the error */
int usable(void);     /* 0, or -1: the process was forked after the first call */
int initialized(void); /* 0, or -1: no flow, device or information yet, or not usable */
void set_initialized(void);

/* call.c */
struct call *call_begin(enum call_op op);   /* NULL with the error */
int call_send(struct call *c);              /* waits for the answer; 0, or -1 with the error */
void call_end(struct call *c);              /* releases the slot */
int call_finish(struct call *c);            /* call_send and call_end */
void call_post(struct call *c);             /* sends without waiting for the answer */

/* shared.c */
struct ring {
	const uint8_t *data; /* records, after the header */
	uint64_t size;       /* bytes of data, a power of two */
	const uint8_t *head;
	uint8_t *page;
	uint64_t next;  /* position of the next record */
	uint64_t freed; /* the writer may overwrite everything before this position */
	uint64_t end;   /* end of the last known record */
	uint64_t poked; /* last position that the writer waited for and was told of */
	uint64_t state; /* state of the ring, loaded before end */
	uint32_t entry; /* bytes of an entry of a series, rounded up; 0: packets or records */
	int records;    /* the ring holds records of a function */
	int damaged;
	int hung_up; /* the daemon has closed its end of the socket */
	int sock;
};
enum ring_state { RING_RECORD, RING_EMPTY, RING_END, RING_GONE, RING_DAMAGED };
void ring_open(struct ring *r, const struct call_function *from);
enum ring_state ring_peek(struct ring *r, const uint8_t **record, uint32_t *caplen);
void ring_pass(struct ring *r, uint32_t caplen);
void ring_skip(struct ring *r, uint32_t caplen); /* ring_pass without ring_release */
uint64_t ring_lost(const struct ring *r);
enum ring_state ring_entry(struct ring *r, void *entry, size_t size);
enum ring_state ring_look(struct ring *r); /* RING_RECORD: there is a record */
int ring_gone(const struct ring *r); /* 1: what was copied before may be zeros */
void ring_release(struct ring *r);
void ring_sleeps(struct ring *r, int sleeps);
void ring_asks(struct ring *r);
int ring_untouched(const struct ring *r);
int ring_awaited(const struct ring *r);
uint64_t ring_position(const struct ring *r);
int slot_read(const uint64_t *slot, void *result, size_t size); /* 0, or -1: remains half written */

/* flow.c */
struct awaited {
	int fd, fid; /* a full buffer for which the daemon waits */
	uint64_t position; /* position of its reader */
};
struct function {
	_Alignas(max_align_t) struct function *next; /* the result follows the struct, with long doubles */
	struct call_function from;
	mapi_results_t results;
	struct ring ring;
	const void *reader; /* thread that takes packets; NULL: none */
	void *packet;       /* copy of the last packet; mapped memory */
	size_t packet_room; /* bytes mapped for it */
	struct awaited suspect; /* wait.c: the buffer that blocks the next packet */
	struct timespec since;  /* when it began to block; 0: nothing blocks */
};
struct flow {
	struct flow *next;    /* next flow of the bucket */
	struct flow *retired; /* next flow of the list of closed flows */
	int fd, device;
	const uint64_t *place, *memory;
	uint32_t connection;
	int closed;
	int users; /* calls in progress on this flow */
	int told;  /* the program was told once that the finished flow has packets */
	struct function *functions;
};
int flow_add(const struct call *c);          /* fd, or -1 with the error */
struct flow *flow_enter(int fd);             /* NULL: no such flow */
void flow_leave(struct flow *f);
uint64_t flow_status(const struct flow *f);  /* shared.c; FLOW_CLOSED if the daemon has ended the connection */
int flow_lost(const struct flow *f);         /* 1: its connection is lost */
struct flow *flow_of(int fd, int bad);       /* flow_enter with checks; NULL with the error, bad for fd <= 0 */
struct function *function_add(struct flow *f, const struct call_function *from);
struct function *function_find(const struct flow *f, int fid);
int flow_retire(int fd);                     /* 1: the flow was open */
void flow_retire_device(int device);
void flow_reap(void);                        /* releases the memory of closed flows */
int flow_untouched(struct flow *f);
int flow_awaited(const struct flow *f, const struct function *but, struct awaited *found);
void *map_memory(size_t size);               /* zeroed memory; NULL: out of memory */

/* results.c */
mapi_results_t *now(struct function *fn); /* the results, read now */

/* packet.c */
int make_room(struct function *fn, size_t size); /* in fn->packet; 0, or -1 with the error */

/* records.c */
mapi_results_t *read_table(struct flow *f, struct function *fn); /* the caller is the reader */

/* wait.c */
int reader_enter(struct flow *f, struct function *fn); /* 0, or -1 with the error */
void reader_leave(struct function *fn);
int ring_wait(struct flow *f, struct function *fn);    /* 0: look again; -1 with the error */
void *ring_over(struct flow *f, enum ring_state state); /* NULL, with the error unless the file has ended */

#endif
