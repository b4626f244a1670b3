/*
 * Makes calls in several threads. Arguments: a device, a capture file, the number of its
 * packets, a large capture file.
 */
#define _GNU_SOURCE /* gettid */
#include <pthread.h>

#include "check.h"

enum { THREADS = 8, ROUNDS = 10 };

static const char *dev, *file;
static unsigned long long packets;

/* Uses flows that belong only to this thread. */
static void *works(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		int fd = MUST(mapi_create_offline_flow(file, MFF_PCAP));
		int count = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
		int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER"));
		unsigned long long n = 0;
		MUST(mapi_connect(fd));
		while (mapi_get_next_pkt(fd, buffer))
			n++;
		CHECK(n == packets && counter(fd, count) == packets);
		MUST(mapi_close_flow(fd));
	}
	return NULL;
}

struct shared {
	int fd, count, buffer;
	_Atomic int tid; /* ID of the waiting thread */
};

/* Reads results until another thread closes the flow. */
static void *reads(void *arg)
{
	struct shared *s = arg;
	mapi_results_t *r;
	while ((r = mapi_read_results(s->fd, s->count)))
		CHECK(r->size == 8);
	return NULL;
}

static void *waits(void *arg)
{
	struct shared *s = arg;
	s->tid = gettid();
	CHECK(mapi_get_next_pkt(s->fd, s->buffer) == NULL);
	return NULL;
}

static void closed_by_another(void)
{
	pthread_t reader[3], waiter;
	struct shared s = {.fd = MUST(mapi_create_flow(dev))};
	MUST(mapi_apply_function(s.fd, "BPF_FILTER", "udp and port 9"));
	s.count = MUST(mapi_apply_function(s.fd, "PKT_COUNTER"));
	s.buffer = MUST(mapi_apply_function(s.fd, "TO_BUFFER"));
	MUST(mapi_connect(s.fd));
	pthread_create(&waiter, NULL, waits, &s);
	for (int i = 0; i < 3; i++)
		pthread_create(&reader[i], NULL, reads, &s);
	usleep(5000);
	MUST(mapi_close_flow(s.fd));
	for (int i = 0; i < 3; i++)
		pthread_join(reader[i], NULL);
	pthread_join(waiter, NULL);
}

/* Reports whether a thread sleeps for at least 20 ms: proc_pid_stat(5). */
static int sleeps(int tid)
{
	char path[64], state = 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	for (int i = 0; i < 20; i++) {
		FILE *f = fopen(path, "r");
		if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			exit(EXIT_FAILURE);
		fclose(f);
		if (state != 'S')
			return 0;
		usleep(1000);
	}
	return 1;
}

/* Two threads read one buffer: the second one gets an error. */
static void one_reader_only(void)
{
	pthread_t waiter;
	struct shared s = {.fd = MUST(mapi_create_flow(dev))};
	MUST(mapi_apply_function(s.fd, "BPF_FILTER", "udp and port 9"));
	s.buffer = MUST(mapi_apply_function(s.fd, "TO_BUFFER", NOWAIT));
	int blocking = MUST(mapi_apply_function(s.fd, "TO_BUFFER"));
	MUST(mapi_connect(s.fd));
	CHECK(mapi_get_next_pkt(s.fd, s.buffer) == NULL);
	s.buffer = blocking;
	pthread_create(&waiter, NULL, waits, &s);
	while (!s.tid || !sleeps(s.tid))
		usleep(1000);
	FAILS(mapi_get_next_pkt(s.fd, blocking), MAPI_SEM_ERR);
	MUST(mapi_close_flow(s.fd));
	pthread_join(waiter, NULL);
}

/* One capture file fills two buffers, but the program takes packets only from one. The
   wait would never end, so the call fails. */
static void standstill(const char *large)
{
	char *device = mapi_create_offline_device(large, MFF_PCAP);
	int fd = MUST(mapi_create_flow(device));
	int taken = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	MUST(mapi_apply_function(fd, "TO_BUFFER"));
	MUST(mapi_connect(fd));
	MUST(mapi_start_offline_device(device));
	error_of(NULL);
	while (mapi_get_next_pkt(fd, taken))
		;
	CHECK(error_of(NULL) == MAPI_SEM_ERR);
	MUST(mapi_delete_offline_device(device));
}

int main(int argc, char *argv[])
{
	pthread_t thread[THREADS];
	if (argc != 5)
		return EXIT_FAILURE;
	dev = argv[1], file = argv[2], packets = strtoull(argv[3], NULL, 10);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, works, NULL); /* all threads make the first call at once */
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 20; i++)
		closed_by_another();
	one_reader_only();
	standstill(argv[4]);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
