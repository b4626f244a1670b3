/*
 * Keeps a packet, an entry and a result of a flow that it closes. They stay as they are,
 * because they are copies. The memory that the daemon has shared is gone. Argument: a capture
 * file.
 */
#include "check.h"

/* Returns the memory that this process has of packet buffers and series, in kB. */
static long shared(void)
{
	char line[512];
	long sum = 0, kb;
	int counts = 0;
	FILE *f = fopen("/proc/self/smaps", "r");
	while (f && fgets(line, sizeof line, f)) {
		if (strstr(line, "/memfd:"))
			counts = strstr(line, "/memfd:mapi-ring ") != NULL;
		if (counts && sscanf(line, "Rss: %ld kB", &kb) == 1)
			sum += kb, counts = 0;
	}
	fclose(f);
	return sum;
}

int main(int argc, char *argv[])
{
	if (argc != 2)
		return EXIT_FAILURE;
	int fd = MUST(mapi_create_offline_flow(argv[1], MFF_PCAP));
	int count = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	int bucket = MUST(mapi_apply_function(fd, "BUCKET", fd, count, "0", 0));
	MUST(mapi_connect(fd));
	struct mapipkt *p = NULL;
	for (int i = 0; i < 1000; i++)
		CHECK((p = mapi_get_next_pkt(fd, buffer)) != NULL);
	mapi_results_t *entry = mapi_read_results(fd, bucket), *result = mapi_read_results(fd, count);
	CHECK(p && entry && result && shared() > 0);
	if (failures)
		return EXIT_FAILURE;
	size_t size = sizeof *p - 4 + p->caplen;
	void *packet = malloc(size), *value = malloc(entry->size);
	memcpy(packet, p, size);
	memcpy(value, entry->res, entry->size);
	unsigned long long n = *(unsigned long long *)result->res;
	MUST(mapi_close_flow(fd));
	CHECK(memcmp(packet, p, size) == 0 && p->ts != 0);
	CHECK(memcmp(value, entry->res, entry->size) == 0);
	CHECK(n > 0 && *(unsigned long long *)result->res == n);
	CHECK(shared() == 0);
	FAILS(mapi_get_next_pkt(fd, buffer), MAPI_INVALID_FLOW);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
