/*
 * load.c - loads the Go part.
 *
 * A separate thread with all signals blocked loads it. All threads of the Go runtime
 * inherit and keep this mask (../thread.c), so signals go only to the threads of the
 * program. No thread of the program runs Go code (call.c), so signal handlers find the
 * stack and the state that they expect. The library restores what the runtime changes in
 * the process: RLIMIT_NOFILE and the signal actions, except that of SIGSTKFLT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "internal.h"

#define GO_PART "libmapi-go.so"

struct calls calls;

static struct guard loading = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static int loaded;  /* the Go part runs */
static int created; /* the program has created a flow or device, or received information */
static int forked;  /* this process is a child, in which the Go part does not run */

/* Delays fork while another thread loads the Go part. Otherwise the child would wait for
   ever for the end of the loading. */
static void before_fork(void)
{
	guard_enter(&loading);
}

static void in_parent(void)
{
	guard_leave(&loading);
}

static void in_child(void)
{
	forked = loaded;
	error_in_child();
	guard_leave(&loading);
}

__attribute__((constructor)) static void heed_forks(void)
{
	pthread_atfork(before_fork, in_parent, in_child);
}

/* Returns the path of the Go part in the folder of this library, or else its bare name. */
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

/* The process state that the runtime changes: signal actions, and the limit of open
   files, which children would inherit. It is static because the stack of a caller may be
   small. */
static struct {
	struct sigaction actions[NSIG];
	struct rlimit files;
} before;

static void remember(void)
{
	for (int s = 1; s < NSIG; s++)
		sigaction(s, NULL, &before.actions[s]);
	getrlimit(RLIMIT_NOFILE, &before.files);
}

/* Reports whether the runtime has changed an action. A new handler outside the Go part
   was set by another thread of the program during the loading, and stays. */
static int changed(const struct sigaction *now, const struct sigaction *was, const Dl_info *go)
{
	Dl_info at;
	if (now->sa_handler == was->sa_handler)
		return (now->sa_flags ^ was->sa_flags) == SA_ONSTACK;
	return dladdr((void *)now->sa_handler, &at) && at.dli_fbase == go->dli_fbase;
}

/* Restores what the runtime has changed. part is an address in the Go part. */
static void restore(const void *part)
{
	struct sigaction now;
	struct rlimit files;
	Dl_info go;
	if (!dladdr(part, &go))
		return;
	for (int s = 1; s < NSIG; s++)
		if (s != SIGSTKFLT && sigaction(s, NULL, &now) == 0 && changed(&now, &before.actions[s], &go))
			sigaction(s, &before.actions[s], NULL);
	/* The runtime raises the soft limit to the hard limit, or to one less. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max == before.files.rlim_max &&
	    files.rlim_cur >= files.rlim_max - 1)
		setrlimit(RLIMIT_NOFILE, &before.files);
}

/* Opens /dev/null on each closed standard descriptor. A daemon may have closed
   descriptors 0 to 2 and still print to them. This output must not go to files or
   sockets that the library opens. */
static void open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDWR);
}

static void *load_thread(void *message)
{
	char path[PATH_MAX];
	open_standard();
	void *lib = dlopen(go_part(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	int (*start)(struct calls *) = NULL;
	if (lib)
		*(void **)&start = dlsym(lib, "libmapi_go_start");
	if (!start) {
		snprintf(message, MAPI_ERRORSTR_LENGTH, "%s", dlerror());
		return NULL;
	}
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTKFLT); /* for this thread's time in Go: see ../thread.c */
	if (start(&calls) != 0)
		snprintf(message, MAPI_ERRORSTR_LENGTH, "%s has another version than libmapi.so: install both from one build", GO_PART);
	restore((void *)start);
	return NULL;
}

/* What the Go runtime needs in addition to the program, in bytes: address space at its
   start, and writable memory. With less the runtime ends the process. */
#define ADDRESSES ((size_t)1 << 30)
#define WRITABLE ((size_t)160 << 20)

static int fits(size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return 0;
	munmap(p, size);
	return 1;
}

/* Reports whether RLIMIT_AS and RLIMIT_DATA leave enough for the runtime. */
static int room_for_runtime(char *message)
{
	if (fits(ADDRESSES, PROT_NONE) && fits(WRITABLE, PROT_READ | PROT_WRITE))
		return 1;
	snprintf(message, MAPI_ERRORSTR_LENGTH, "the Go runtime needs %zu MiB of address space and %zu MiB of data: "
	         "raise the limits RLIMIT_AS and RLIMIT_DATA (ulimit -v, ulimit -d)",
	         ADDRESSES >> 20, WRITABLE >> 20);
	return 0;
}

/* Runs load_thread without lasting changes to the process. */
static int load_quietly(char *message)
{
	pthread_t thread;
	int cancel;
	if (!room_for_runtime(message))
		return -1;
	remember();
	int err = pthread_create(&thread, NULL, load_thread, message);
	if (err != 0) {
		snprintf(message, MAPI_ERRORSTR_LENGTH, "create a thread: %s", strerror(err));
		return -1;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel); /* pthread_join is a cancellation point */
	pthread_join(thread, NULL);
	pthread_setcancelstate(cancel, NULL);
	return message[0] ? -1 : 0;
}

/* Loads the Go part. The caller holds the lock, which blocks all signals. */
static int load_once(char *message)
{
	static int prepared;
	if (!prepared) {
		calls.version = CALL_VERSION;
		calls.size = sizeof calls;
		prepared = 1;
	}
	if (load_quietly(message) != 0)
		return -1;
	STORE(&loaded, 1);
	return 0;
}

int load(void)
{
	static char message[MAPI_ERRORSTR_LENGTH]; /* the lock protects it */
	int err = 0;
	if (usable() != 0)
		return -1;
	if (LOAD(&loaded))
		return 0;
	guard_enter(&loading);
	message[0] = 0;
	if (!loaded)
		err = load_once(message);
	if (err != 0)
		fail(MAPI_LIBRARY_LOAD_ERR, "load the Go part of libmapi: %s", message);
	guard_leave(&loading);
	return err;
}

int usable(void)
{
	if (forked)
		return fail(MCOM_SOCKET_ERROR, "the process was forked after the first mapi call: fork before it");
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
