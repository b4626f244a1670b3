/*
 * thread.c - threads of the Go runtime take no signals of the program.
 *
 * They start with all signals blocked, but the runtime then unblocks some on each:
 * SIGCHLD, SIGPROF, SIGURG, SIGRTMIN, SIGSTKFLT and those of faults. A handler of
 * the program would run on the small stack of a goroutine, and sigwait(3) and
 * signalfd(2) would miss what such a thread takes. The runtime has no switch for that.
 * So each thread begins with a SIGSTKFLT of its own pending, which Linux uses for nothing:
 * it arrives in the moment in which the runtime unblocks it, and the mask to which
 * its handler returns has what was unblocked blocked again.
 *
 * The linker makes __wrap_pthread_create of the runtime's pthread_create (main.go).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* Faults are those of the thread itself; 32 and 33 are glibc's, which waits for all
   threads to take them. */
static void block_again(int signal, siginfo_t *info, void *context)
{
	ucontext_t *back = context;
	(void)signal, (void)info;
	sigaddset(&back->uc_sigmask, SIGCHLD);
	sigaddset(&back->uc_sigmask, SIGPROF);
	sigaddset(&back->uc_sigmask, SIGURG);
	sigaddset(&back->uc_sigmask, SIGRTMIN);
	sigaddset(&back->uc_sigmask, SIGSTKFLT);
}

struct entry {
	void *(*run)(void *);
	void *arg;
};

static void *begin(void *arg)
{
	struct entry e = *(struct entry *)arg;
	struct sigaction action = {.sa_sigaction = block_again, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	sigset_t all;
	free(arg);
	sigfillset(&all);
	sigfillset(&action.sa_mask);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	sigaction(SIGSTKFLT, &action, NULL);
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTKFLT);
	return e.run(e.arg);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	struct entry *e = malloc(sizeof *e);
	if (!e)
		return EAGAIN;
	*e = (struct entry){run, arg};
	int err = __real_pthread_create(thread, attr, begin, e);
	if (err != 0)
		free(e);
	return err;
}
