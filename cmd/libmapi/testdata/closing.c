/*
 * Several threads create and close flows. The return value of mapi_close_flow must be
 * right. Arguments: a device, the number of flows of each thread.
 */
#include <pthread.h>

#include "check.h"

enum { THREADS = 8 };

static const char *dev;
static int rounds;

static void *works(void *arg)
{
	for (int i = 0; i < rounds; i++) {
		int fd = MUST(mapi_create_flow(dev));
		MUST(mapi_apply_function(fd, "PKT_COUNTER"));
		MUST(mapi_connect(fd));
		MUST(mapi_close_flow(fd));
		CHECK(mapi_close_flow(fd) == -1); /* not FAILS: the last error may be another thread's */
	}
	return arg;
}

int main(int argc, char *argv[])
{
	pthread_t thread[THREADS];
	mapi_flow_info_t info;
	if (argc != 3)
		return EXIT_FAILURE;
	dev = argv[1], rounds = atoi(argv[2]);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, works, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	FAILS(mapi_get_next_flow_info(0, &info), MAPI_FLOW_INFO_ERR); /* no flow is left */
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
