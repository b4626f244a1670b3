/*
 * Sets signal actions while another thread makes the first call. Argument: a device.
 */
#include <pthread.h>
#include <signal.h>

#include "check.h"

static int done;

static void *first_call(void *device)
{
	MUST(mapi_create_flow(device));
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	return NULL;
}

int main(int argc, char *argv[])
{
	static void (*now[NSIG])(int); /* SIG_DFL */
	pthread_t thread;
	if (argc != 2 || pthread_create(&thread, NULL, first_call, argv[1]) != 0)
		return EXIT_FAILURE;
	/* All change all the time, so that at any later moment half are not as they were. */
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		for (int s = SIGRTMIN; s <= SIGRTMAX; s++) {
			void (*next)(int) = now[s] == SIG_DFL ? SIG_IGN : SIG_DFL;
			CHECK(signal(s, next) == now[s]);
			now[s] = next;
		}
	pthread_join(thread, NULL);
	for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
		CHECK(signal(s, SIG_DFL) == now[s]);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
