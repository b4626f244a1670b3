/*
 * load.c - loads the Go part.
 *
 * That is done on a thread of its own with all signals blocked, which all threads of
 * the Go runtime inherit, and keep (../thread.c): signals go to the threads of the
 * program only. And no thread of the program ever runs Go code (call.c), so signal
 * handlers find the stack and the state that they are used to. Signal actions that the
 * runtime has put in place are taken back, but for SIGSTKFLT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define GO_PART "libmapi-go.so"

struct calls calls;

static struct guard loading = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static int loaded;  /* there is a Go part */
static int created; /* a flow or a device was made */
static int forked;  /* this is a child, in which the Go part does not run */

static void in_child(void)
{
	forked = loaded;
	error_in_child();
}

/* The file beside this library, or the bare name. */
static const char *go_part(char path[PATH_MAX])
{
	Dl_info self;
	if (dladdr((void *)&calls, &self) && self.dli_fname) {
		const char *slash = strrchr(self.dli_fname, '/');
		int folder = slash ? (int)(slash - self.dli_fname) + 1 : 0;
		int n = snprintf(path, PATH_MAX, "%.*s%s", folder, self.dli_fname, GO_PART);
		if (slash && n < PATH_MAX && access(path, R_OK) == 0)
			return path;
	}
	return GO_PART;
}

static void *load_thread(void *message)
{
	char path[PATH_MAX];
	void *lib = dlopen(go_part(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	int (*start)(struct calls *) = NULL;
	if (lib)
		*(void **)&start = dlsym(lib, "libmapi_go_start");
	if (!start) {
		snprintf(message, MAPI_ERRORSTR_LENGTH, "%s", dlerror());
		return NULL;
	}
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTKFLT); /* as ../thread.c, for the time in Go */
	if (start(&calls) != 0)
		snprintf(message, MAPI_ERRORSTR_LENGTH, "%s is of another version", GO_PART);
	return NULL;
}

static int same(const struct sigaction *a, const struct sigaction *b)
{
	return a->sa_handler == b->sa_handler && a->sa_flags == b->sa_flags;
}

/* Runs load_thread, and leaves the signal actions as they are. */
static int load_quietly(char *message)
{
	struct sigaction before[NSIG], now;
	pthread_t thread;
	for (int s = 1; s < NSIG; s++)
		sigaction(s, NULL, &before[s]);
	int err = pthread_create(&thread, NULL, load_thread, message);
	if (err != 0) {
		snprintf(message, MAPI_ERRORSTR_LENGTH, "no thread: %s", strerror(err));
		return -1;
	}
	pthread_join(thread, NULL);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGSTKFLT && sigaction(s, NULL, &now) == 0 && !same(&now, &before[s]))
			sigaction(s, &before[s], NULL);
	return message[0] ? -1 : 0;
}

/* Holds the lock, which blocks the signals. */
static int load_once(char *message)
{
	static int prepared;
	if (!prepared) {
		calls.version = CALL_VERSION;
		calls.size = sizeof calls;
		sem_init(&calls.posted, 0, 0);
		pthread_atfork(NULL, NULL, in_child);
		prepared = 1;
	}
	if (load_quietly(message) != 0)
		return -1;
	STORE(&loaded, 1);
	return 0;
}

int load(void)
{
	char message[MAPI_ERRORSTR_LENGTH] = "";
	int err = 0;
	if (usable() != 0)
		return -1;
	if (LOAD(&loaded))
		return 0;
	guard_enter(&loading);
	if (!loaded)
		err = load_once(message);
	guard_leave(&loading);
	return err ? fail(MAPI_LIBRARY_LOAD_ERR, "load the Go part of libmapi: %s", message) : 0;
}

int usable(void)
{
	if (forked)
		return fail(MCOM_SOCKET_ERROR, "the process has forked after its first mapi call: fork before it");
	return 0;
}

int initialized(void)
{
	if (usable() != 0)
		return -1;
	return LOAD(&created) ? 0 : fail(MAPI_INIT_ERROR, not_initialized);
}

void set_initialized(void)
{
	STORE(&created, 1);
}
