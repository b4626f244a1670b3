/*
 * Counts the packets of a device that match a filter. Prints the counts every second
 * until Ctrl-C.
 *
 *	cc count.c -o count -lmapi && ./count eth0 "tcp and port 80"
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mapi.h>

static volatile sig_atomic_t stop;

static void on_signal(int s)
{
	(void)s;
	stop = 1;
}

/* Exits with the error text if a call has failed. */
static int must(int result, const char *what)
{
	char text[MAPI_ERRORSTR_LENGTH] = "";
	if (result >= 0)
		return result;
	mapi_read_error(NULL, text);
	fprintf(stderr, "%s: %s\n", what, text);
	exit(EXIT_FAILURE);
}

int main(int argc, char *argv[])
{
	if (argc < 2) {
		fprintf(stderr, "usage: count DEVICE [FILTER]\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	int fd = must(mapi_create_flow(argv[1]), argv[1]);
	if (argc > 2)
		must(mapi_apply_function(fd, "BPF_FILTER", argv[2]), argv[2]);
	int packets = must(mapi_apply_function(fd, "PKT_COUNTER"), "PKT_COUNTER");
	int bytes = must(mapi_apply_function(fd, "BYTE_COUNTER"), "BYTE_COUNTER");
	must(mapi_connect(fd), "connect");
	while (!stop) {
		sleep(1);
		mapi_results_t *p = mapi_read_results(fd, packets);
		mapi_results_t *b = mapi_read_results(fd, bytes);
		if (!p || !b)
			must(-1, "read");
		printf("%llu packets, %llu bytes\n", *(unsigned long long *)p->res, *(unsigned long long *)b->res);
		fflush(stdout);
	}
	return mapi_close_flow(fd) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
