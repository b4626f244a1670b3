/*
 * Prints statistics of the packet sizes in a capture file. Shows functions that work on
 * the result of another function, and results that are structures.
 *
 *	cc sizes.c -o sizes -lmapi && ./sizes trace.pcap
 */
#include <stdio.h>
#include <stdlib.h>

#include <mapi.h>
#include <mapi/stdflib.h>

static int must(int result, const char *what)
{
	char text[MAPI_ERRORSTR_LENGTH] = "";
	if (result >= 0)
		return result;
	mapi_read_error(NULL, text);
	fprintf(stderr, "%s: %s\n", what, text);
	exit(EXIT_FAILURE);
}

static void *result(int fd, int fid)
{
	mapi_results_t *r = mapi_read_results(fd, fid);
	if (!r)
		must(-1, "read");
	return r->res;
}

int main(int argc, char *argv[])
{
	mapi_flow_info_t info;
	if (argc != 2) {
		fprintf(stderr, "usage: sizes FILE\n");
		return 2;
	}
	int fd = must(mapi_create_offline_flow(argv[1], MFF_PCAP), argv[1]);
	int size = must(mapi_apply_function(fd, "PKTINFO", PKT_SIZE), "PKTINFO");
	int stats = must(mapi_apply_function(fd, "STATS", fd, size, "0"), "STATS");
	int dist = must(mapi_apply_function(fd, "DIST", fd, size, "0", "1500", "500"), "DIST");
	must(mapi_connect(fd), "connect");
	do
		must(mapi_get_flow_info(fd, &info), "info");
	while (info.status != FLOW_FINISHED);
	stats_t *s = result(fd, stats);
	printf("%llu packets, %.0Lf bytes, %.0f to %.0f\n", s->count, s->sum, s->min, s->max);
	dist_t *d = result(fd, dist);
	for (unsigned long long i = 0; i < d->intervals; i++)
		printf("%llu to %llu: %llu\n", i * 500, i * 500 + 499, d->data[i]);
	printf("1500 and more: %llu\n", d->data[d->intervals]);
	return mapi_close_flow(fd) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
