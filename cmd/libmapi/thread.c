/*
 * thread.c - keeps signals of the program away from the threads of the Go runtime.
 *
 * These threads start with all signals blocked, but the runtime then unblocks some on
 * each of them: SIGCHLD, SIGPROF, SIGURG, SIGRTMIN, SIGSTKFLT and the fault signals. A
 * handler of the program would then run on the small stack of a goroutine, and sigwait(3)
 * and signalfd(2) would miss a signal that such a thread takes. The runtime has no option
 * against this. So each thread starts with a pending SIGSTKFLT, which Linux does not use.
 * The signal arrives as soon as the runtime unblocks it. Its handler changes the mask to
 * which it returns, and so blocks the unblocked signals again.
 *
 * The linker redirects pthread_create of the runtime to __wrap_pthread_create (main.go).
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

/* Fault signals stay unblocked, because the thread itself causes them. So do signals 32
   and 33, because glibc waits until all threads have taken them. */
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
