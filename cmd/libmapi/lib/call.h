/*
 * call.h - the call slots, which the C part of the library shares with the Go part.
 * A caller fills a slot, marks it ready and sleeps until the Go part has written the answer
 * to the slot. The slots are static, for two reasons: a call allocates no memory, so a
 * signal handler may make one; and the Go part can still write the answer after the
 * caller has left the call by longjmp.
 */
#ifndef LIBMAPI_CALL_H
#define LIBMAPI_CALL_H

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mapi.h>

enum {
	CALL_VERSION = 3, /* version of this layout; both parts must have the same */
	CALL_SLOTS = 64,  /* calls in progress; further calls wait for a slot */
	CALL_ARGS = 16,   /* maximum arguments of a function */
	CALL_LETTERS = 64,
	CALL_NAMES = 16,  /* names of offline devices, allocated in advance */
};

enum call_state { CALL_FREE, CALL_CLAIMED, CALL_READY, CALL_TAKEN, CALL_DONE };

enum call_op {
	CALL_CREATE_FLOW,          /* text: device */
	CALL_CREATE_OFFLINE_FLOW,  /* text: path, number: format */
	CALL_CREATE_DEVICE,        /* text: path, number: format; gives name, allocated */
	CALL_START_DEVICE,         /* text: name */
	CALL_DELETE_DEVICE,        /* text: name, freed if CALL_CREATE_DEVICE allocated it; gives device */
	CALL_LETTERS_OF,           /* fd, text: function; gives argument letters of the original's function */
	CALL_APPLY,                /* fd, text: function, count, wide, args; gives function */
	CALL_APPLY_ARRAY,          /* fd, text: function, count, array; gives function */
	CALL_CONNECT,              /* fd */
	CALL_CLOSE,                /* fd */
	CALL_RELEASE,              /* fd: the C part no longer uses the memory of this flow */
	CALL_STATS,                /* text: device; gives stat */
	CALL_DEVICE_INFO,          /* number, next; gives device_info */
	CALL_LIBRARY_INFO,         /* number, next; gives library_info */
	CALL_LIBFUNCT_INFO,        /* number: library, fid: function, next; gives libfunct_info */
	CALL_FLOW_INFO,            /* fd, next; gives flow_info */
	CALL_FUNCTION_INFO,        /* fd, fid, next; gives function_info */
};

/* The memory with the values of a function. It stays mapped until CALL_RELEASE. */
struct call_function {
	int fid;
	const uint64_t *slot; /* sequence word and result; NULL: none */
	int size;             /* bytes of the result, or of an entry of a series */
	int is_stats;         /* each sum is a pair of double, not a long double */
	const void *ring;     /* ring of packets or entries, with its header; NULL: none */
	size_t ring_size;     /* bytes, with the header */
	void *page;           /* page that the reader of the ring writes */
	int sock;             /* socket on which the reader sleeps; the C part closes it */
	int series;           /* the ring holds entries of a series */
	int no_wait;          /* TO_BUFFER was applied with NOWAIT */
};

struct call {
	uint32_t state; /* enum call_state; a futex */
	enum call_op op;
	int posted; /* no thread waits for the answer */
	const void *thread, *frame; /* the waiting thread and its stack frame; only the C part uses them */

	/* The request. The caller owns the memory behind the pointers. */
	int fd, fid, number, next, count;
	unsigned int wide; /* bit i is set: args[i] has 64 bits; otherwise it is an int */
	uint64_t args[CALL_ARGS];
	const char *text;
	char **array;

	/* The answer. */
	int code; /* error number, or 0 */
	char message[MAPI_ERRORSTR_LENGTH];
	int device;            /* number of the flow's offline device; 0: live device */
	const uint64_t *place; /* shared memory of the flow; the state of the flow is first */
	const uint64_t *memory; /* start of the shared memory of the connection */
	uint32_t connection;   /* connection of the flow, counted from 1 */
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
	uint32_t lost; /* all connections up to this number are lost */
	uint32_t active; /* calls that the Go part has not answered yet */
	uint32_t attended; /* goroutines of the Go part that poll the slots */
	int bell; /* socket on which the Go part sleeps when nobody polls */
	char *names[CALL_NAMES]; /* only the Go part uses them */
	struct call slot[CALL_SLOTS];
};

/* Marks a call as answered. The Go part calls it. */
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
