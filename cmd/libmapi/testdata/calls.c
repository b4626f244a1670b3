/*
 * Uses every call correctly. Arguments: a device, a capture file, the number of its
 * packets, their bytes on the wire, a folder.
 */
#include <math.h>

#include <mapi/stdflib.h>

#include "check.h"

static unsigned long long looped;

static void on_packet(const struct mapipkt *p)
{
	looped += p->wlen;
}

static void information(const char *dev)
{
	mapi_device_info_t device = {.id = -1}, again;
	mapi_lib_info_t library = {.id = -1};
	mapi_libfunct_info_t f, same, third;
	int found = 0, functions = 0;
	while (mapi_get_next_device_info(device.id, &device) == 0) {
		MUST(mapi_get_device_info(device.id, &again));
		CHECK(memcmp(&device, &again, sizeof device) == 0);
		found |= strcmp(device.device, dev) == 0;
	}
	CHECK(found);
	MUST(mapi_get_next_library_info(-1, &library));
	CHECK(library.id == 0 && strcmp(library.libname, "stdflib") == 0 && library.functs == library.funcs);
	for (; mapi_get_next_libfunct_info(0, functions - 1, &f) == 0; functions++) {
		MUST(mapi_get_libfunct_info(0, functions, &same));
		MUST(mapi_get_libfunct_next_info(0, functions - 1, &third));
		CHECK(memcmp(&f, &same, sizeof f) == 0 && memcmp(&f, &third, sizeof f) == 0);
		CHECK(f.name[0] && f.descr[0] && f.devtype[0]);
	}
	CHECK((unsigned int)functions == library.functs);
}

static void live(const char *dev)
{
	struct mapi_stat stat;
	mapi_flow_info_t info, next;
	mapi_function_info_t function;
	int fd = MUST(mapi_create_flow(dev));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER", NOWAIT));
	MUST(mapi_get_flow_info(fd, &info));
	CHECK(info.status == FLOW_INIT && info.start == 0);
	MUST(mapi_connect(fd));
	CHECK(mapi_stats(dev, &stat) == 1 && strcmp(stat.dev, dev) == 0 && strcmp(stat.hostname, "localhost") == 0);
	error_of(NULL); /* clears the error that ended the loops over devices and functions */
	CHECK(mapi_get_next_pkt(fd, buffer) == NULL && error_of(NULL) == 0);
	CHECK(mapi_loop(fd, buffer, 1, on_packet) == 0 && error_of(NULL) == 0);
	MUST(mapi_get_flow_info(fd, &info));
	CHECK(info.fd == fd && info.uid == getuid() && info.num_functions == 2 && info.status == FLOW_ACTIVE);
	CHECK(strcmp(info.device, dev) == 0 && info.start > 0 && info.end == 0);
	MUST(mapi_get_next_flow_info(fd - 1, &next));
	CHECK(next.fd == fd);
	MUST(mapi_get_next_function_info(fd, 0, &function));
	CHECK(function.fid == fid && strcmp(function.name, "PKT_COUNTER") == 0 && function.result_size == 8);
	MUST(mapi_get_function_info(fd, buffer, &function));
	CHECK(strcmp(function.name, "TO_BUFFER") == 0 && strcmp(function.libname, "stdflib") == 0);
	MUST(mapi_start_offline_device(dev)); /* does nothing on a live device */
	MUST(mapi_close_flow(fd));
}

static void one_step(const char *file, unsigned long long packets, unsigned long long bytes)
{
	char *args[] = {(char *)"0"};
	int fd = MUST(mapi_create_offline_flow(file, MFF_PCAP));
	int count = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	int buffer = MUST(mapi_apply_function_array(fd, "TO_BUFFER", args, 1));
	looped = 0;
	MUST(mapi_connect(fd));
	CHECK(mapi_loop(fd, buffer, (int)packets, on_packet) == 0);
	CHECK(looped == bytes);
	CHECK(mapi_get_next_pkt(fd, buffer) == NULL && error_of(NULL) == 0);
	CHECK(mapi_loop(fd, buffer, -1, on_packet) == 0);
	CHECK(counter(fd, count) == packets);
	MUST(mapi_close_flow(fd));
}

static void results(const char *file, unsigned long long packets, unsigned long long bytes, const char *folder)
{
	char path[4096];
	char *device = mapi_create_offline_device(file, MFF_PCAP);
	if (!device)
		MUST(-1);
	snprintf(path, sizeof path, "%s/out.pcap", folder);
	int fd = MUST(mapi_create_flow(device));
	int size = MUST(mapi_apply_function(fd, "PKTINFO", PKT_SIZE));
	int stats = MUST(mapi_apply_function(fd, "STATS", fd, size, "0"));
	int dist = MUST(mapi_apply_function(fd, "DIST", fd, size, "0", "1600", "100"));
	int bucket = MUST(mapi_apply_function(fd, "BUCKET", fd, size, "0", 0));
	int range = MUST(mapi_apply_function(fd, "STARTSTOP", "+0s", "+0s"));
	int out = MUST(mapi_apply_function(fd, "TO_FILE", MFF_PCAP, path, 5)); /* an int instead of a 64-bit argument */
	int uncounted = MUST((mapi_apply_function)(fd, "STR_SEARCH", "no such text", 0, 0));
	int after = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	MUST(mapi_connect(fd));
	MUST(mapi_start_offline_device(device));
	await_end(fd);
	CHECK(uncounted > 0 && counter(fd, after) == 0);
	mapi_results_t *r = mapi_read_results(fd, stats);
	stats_t *s = r->res;
	CHECK(r->size == 64 && r->ts / 1000000 > 1700000000);
	CHECK(s->count == packets && s->sum == (long double)bytes && s->sum2 > s->sum && s->min > 0 && s->max >= s->min);
	dist_t *d = mapi_read_results(fd, dist)->res;
	unsigned long long sum = 0;
	for (unsigned long long i = 0; i <= d->intervals; i++)
		sum += d->data[i];
	CHECK(d->min == 0 && d->max == 1600 && d->intervals == 16 && sum == packets);
	startstop_t *t = mapi_read_results(fd, range)->res;
	CHECK(t->first > 0 && t->last >= t->first);
	int *state;
	do
		state = mapi_read_results(fd, out)->res;
	while (*state == 11); /* the file is complete shortly after the device has ended */
	CHECK(*state == 0 && access(path, R_OK) == 0);
	sum = 0;
	unsigned long long n = 0;
	while ((r = mapi_read_results(fd, bucket))) {
		bucket_data_t *b = r->res;
		CHECK(r->size == sizeof *b && b->timestamp >= t->first);
		sum += b->data;
		n++;
	}
	CHECK(error_of(NULL) == 0); /* the end of the file is no error */
	CHECK(n <= packets && (n < packets || sum <= bytes));
	MUST(mapi_delete_offline_device(device));
	FAILS(mapi_read_results(fd, stats), MAPI_INVALID_FLOW);
	FAILS(mapi_close_flow(fd), MAPI_INVALID_FLOW);
}

/* The program may change a packet, which stays valid until the next one. */
static void packets_are_ours(const char *file)
{
	int fd = MUST(mapi_create_offline_flow(file, MFF_PCAP));
	int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	MUST(mapi_connect(fd));
	for (struct mapipkt *p; (p = mapi_get_next_pkt(fd, buffer));)
		memset(&p->pkt, 0xee, p->caplen);
	MUST(mapi_close_flow(fd));
}

int main(int argc, char *argv[])
{
	if (argc != 6)
		return EXIT_FAILURE;
	unsigned long long packets = strtoull(argv[3], NULL, 10), bytes = strtoull(argv[4], NULL, 10);
	information(argv[1]);
	for (int i = 0; i < 3; i++) {
		live(argv[1]);
		one_step(argv[2], packets, bytes);
		results(argv[2], packets, bytes, argv[5]);
		packets_are_ours(argv[2]);
	}
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
