/*
 * Checks that signals which a program blocks wait for the program. A thread of the
 * library must not take them, because its stack is too small for a handler. Argument: a
 * device.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"

static void never(int s)
{
	CHECK(s == 0);
	write(STDOUT_FILENO, "handler\n", 8);
}

/* Checks that signal s, sent to the process, is pending or arrives. */
static void comes(const sigset_t *set, int s)
{
	const struct timespec patience = {.tv_sec = 5};
	CHECK(sigtimedwait(set, NULL, &patience) == s);
}

int main(int argc, char *argv[])
{
	static const int sent[] = {SIGPROF, SIGURG, SIGUSR1};
	sigset_t set;
	if (argc != 2)
		return EXIT_FAILURE;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN);
	for (unsigned int i = 0; i < sizeof sent / sizeof *sent; i++)
		sigaddset(&set, sent[i]);
	signal(SIGCHLD, never);
	signal(SIGRTMIN, never);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = MUST(mapi_create_flow(argv[1]));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	MUST(mapi_connect(fd));
	for (int i = 0; i < 100 && !failures; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		comes(&set, SIGCHLD);
		CHECK(waitpid(child, NULL, 0) == child);
		kill(getpid(), SIGRTMIN);
		comes(&set, SIGRTMIN);
		for (unsigned int s = 0; s < sizeof sent / sizeof *sent; s++) {
			kill(getpid(), sent[s]);
			comes(&set, sent[s]);
		}
		CHECK(mapi_read_results(fd, fid) != NULL);
	}
	MUST(mapi_close_flow(fd));
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
