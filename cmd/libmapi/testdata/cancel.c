/*
 * Cancels a thread that waits for a packet. Another thread then takes the packet.
 * Argument: a device. The program prints "waiting" when the packet may be sent.
 */
#include <pthread.h>

#include "check.h"

enum { ROUNDS = 20 };

static int fd, buffer;

static void *takes(void *arg)
{
	mapi_get_next_pkt(fd, buffer);
	CHECK(!"a packet came");
	return arg;
}

int main(int argc, char *argv[])
{
	pthread_t thread;
	void *result;
	if (argc != 2)
		return EXIT_FAILURE;
	for (int i = 1; i <= ROUNDS; i++) {
		fd = MUST(mapi_create_flow(argv[1]));
		MUST(mapi_apply_function(fd, "BPF_FILTER", "udp and port 9"));
		buffer = MUST(mapi_apply_function(fd, "TO_BUFFER", WAIT));
		MUST(mapi_connect(fd));
		pthread_create(&thread, NULL, takes, NULL);
		usleep(1000 * (unsigned int)i);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		CHECK(result == PTHREAD_CANCELED);
		if (i < ROUNDS)
			MUST(mapi_close_flow(fd));
	}
	printf("waiting\n");
	fflush(stdout);
	CHECK(mapi_get_next_pkt(fd, buffer) != NULL);
	MUST(mapi_close_flow(fd));
	MUST(mapi_create_flow(argv[1])); /* no lock was left locked */
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
