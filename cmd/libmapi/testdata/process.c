/*
 * What the first call does to a process, and needs of it. Arguments: what, a device.
 *
 *	files       the limit of open files stays, also for children
 *	descriptors a call for which there is none fails, and does nothing else
 *	standard    descriptors that a daemon has closed are no use to the library
 *	stack       8 KB are enough for a thread, or a handler, that makes all kinds of calls
 *	meanwhile   what another thread does at that time stays
 *	cancel      a thread that is cancelled makes it nevertheless
 *	addresses   with too small a limit the first call fails
 *	data        likewise
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "check.h"

static const char *dev;

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit r = {soft, hard};
	CHECK(setrlimit(resource, &r) == 0);
}

static void files(void)
{
	struct rlimit r;
	limit(RLIMIT_NOFILE, 512, 4096);
	MUST(mapi_create_flow(dev));
	CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur == 512 && r.rlim_max == 4096);
	CHECK(system("test $(ulimit -Sn) = 512") == 0);
}

/* Leaves room for one more, where TO_BUFFER needs some. */
static void descriptors(void)
{
	limit(RLIMIT_NOFILE, 64, 64);
	int fd = MUST(mapi_create_flow(dev)), other = MUST(mapi_create_flow(dev));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER")), first = dup(0), last = first;
	MUST(mapi_connect(fd));
	for (int next = first; next >= 0; next = dup(0))
		last = next;
	close(last);
	FAILS(mapi_apply_function(other, "TO_BUFFER"), MAPI_ERROR_SEND_FD);
	CHECK(mapi_read_results(fd, fid) && error_of(NULL) == 0);
	for (int i = first; i < last; i++)
		close(i);
	MUST(mapi_apply_function(other, "TO_BUFFER"));
	MUST(mapi_connect(other));
}

static void standard(void)
{
	char path[32], is[32] = "";
	int said = dup(STDOUT_FILENO);
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	MUST(mapi_create_flow(dev));
	int kept = dup(STDOUT_FILENO);
	dup2(said, STDOUT_FILENO);
	for (int fd = 0; fd <= 2; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd == 1 ? kept : fd);
		CHECK(readlink(path, is, sizeof is) == 9 && strncmp(is, "/dev/null", 9) == 0);
	}
}

static void calls(int s)
{
	(void)s;
	int fd = MUST(mapi_create_flow(dev));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER", NOWAIT));
	FAILS(mapi_apply_function(fd, "NONSENSE"), MAPI_FUNCTION_NOT_FOUND);
	FAILS(mapi_read_results(fd, fid), MAPI_FLOW_NOT_CONNECTED);
	MUST(mapi_connect(fd));
	counter(fd, fid);
	mapi_get_next_pkt(fd, buffer);
	MUST(mapi_close_flow(fd));
}

/* The kernel's frame for the handler is below SIGSTKSZ of old, but not of all
   processors: it has room of its own. */
static void stack(void)
{
	static char memory[64 << 10] __attribute__((aligned(16)));
	enum { NEEDED = 8 << 10, GUARD = 4 << 10, FRAME = 12 << 10 };
	stack_t small = {.ss_sp = memory + GUARD, .ss_size = FRAME + NEEDED};
	struct sigaction action = {.sa_handler = calls, .sa_flags = SA_ONSTACK};
	memset(memory, 0x5a, sizeof memory);
	CHECK(sigaltstack(&small, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1); /* the first call of the process */
	raise(SIGUSR1);
	for (int i = 0; i < GUARD; i++)
		CHECK(memory[i] == 0x5a);
	int unused = 0;
	while (memory[GUARD + unused] == 0x5a)
		unused++;
	CHECK(unused > 0);
}

static void handles(int s)
{
	(void)s;
}

static int meanwhile;

/* The library waits with it until its Go part is there. */
int pthread_join(pthread_t thread, void **result)
{
	int (*join)(pthread_t, void **) = NULL;
	*(void **)&join = dlsym(RTLD_NEXT, "pthread_join");
	int err = join(thread, result);
	if (meanwhile) {
		meanwhile = 0;
		signal(SIGUSR1, handles);
		limit(RLIMIT_NOFILE, 700, 4096);
	}
	return err;
}

static void others(void)
{
	struct sigaction action;
	struct rlimit r;
	limit(RLIMIT_NOFILE, 512, 4096);
	meanwhile = 1;
	MUST(mapi_create_flow(dev));
	CHECK(meanwhile == 0);
	CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == handles);
	CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur == 700);
}

static void *first_call(void *arg)
{
	pthread_cancel(pthread_self());
	*(int *)arg = mapi_create_flow(dev);
	return NULL;
}

static void cancelled(void)
{
	pthread_t thread;
	int fd = -1;
	pthread_create(&thread, NULL, first_call, &fd);
	pthread_join(thread, NULL);
	CHECK(fd > 0);
	MUST(mapi_close_flow(fd));
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return EXIT_FAILURE;
	dev = argv[2];
	if (strcmp(argv[1], "files") == 0)
		files();
	else if (strcmp(argv[1], "descriptors") == 0)
		descriptors();
	else if (strcmp(argv[1], "standard") == 0)
		standard();
	else if (strcmp(argv[1], "stack") == 0)
		stack();
	else if (strcmp(argv[1], "meanwhile") == 0)
		others();
	else if (strcmp(argv[1], "cancel") == 0)
		cancelled();
	else {
		limit(argv[1][0] == 'a' ? RLIMIT_AS : RLIMIT_DATA, 100 << 20, 100 << 20);
		FAILS(mapi_create_flow(dev), MAPI_LIBRARY_LOAD_ERR);
	}
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
