/*
 * Measures the speed of reading. Arguments: "results", a device, the number of reads; or
 * "packets", a capture file. Prints the total time in ns and the number of reads or
 * packets.
 */
#include <time.h>

#include "check.h"

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void results(const char *dev, long long n)
{
	int fd = MUST(mapi_create_flow(dev));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	MUST(mapi_connect(fd));
	long long begun = now();
	for (long long i = 0; i < n; i++)
		if (!mapi_read_results(fd, fid))
			exit(EXIT_FAILURE);
	printf("%lld %lld\n", now() - begun, n);
	MUST(mapi_close_flow(fd));
}

static void packets(const char *file)
{
	long long n = 0, bytes = 0;
	struct mapipkt *p;
	int fd = MUST(mapi_create_offline_flow(file, MFF_PCAP));
	int fid = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	MUST(mapi_connect(fd));
	long long begun = now();
	for (; (p = mapi_get_next_pkt(fd, fid)); n++)
		bytes += p->wlen;
	printf("%lld %lld %lld\n", now() - begun, n, bytes);
	MUST(mapi_close_flow(fd));
}

int main(int argc, char *argv[])
{
	if (argc == 4)
		results(argv[2], atoll(argv[3]));
	else if (argc == 3)
		packets(argv[2]);
	return EXIT_SUCCESS;
}
