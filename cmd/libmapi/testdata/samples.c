/*
 * Reads the records of numbered frames of 100 bytes live, until the daemon has ended. Arguments:
 * a device, and "lockstep" or "alone".
 */
#include <endian.h>

#include "check.h"

struct table { uint64_t count, lost; };
struct record { uint64_t ts; uint16_t kind, zero; uint32_t length; unsigned char data[]; };

/* The number stands behind the headers of IPv4 and UDP, and a mark. */
enum { KIND_IPV4 = 4, SIZE = 100 - 14, NUMBER = 20 + 8 + 8 };

static uint64_t records, lost, next; /* next: lowest number that may follow */

static void take(const mapi_results_t *r)
{
	const struct table *t = r->res;
	const unsigned char *at = (const unsigned char *)(t + 1), *end = (const unsigned char *)r->res + r->size;
	for (uint64_t n = 0; n < t->count; n++) {
		const struct record *rec = (const struct record *)at;
		uint64_t number;
		CHECK(rec->kind == KIND_IPV4 && rec->zero == 0 && rec->length == SIZE && rec->ts != 0);
		memcpy(&number, rec->data + NUMBER, sizeof number);
		number = be64toh(number);
		CHECK(number >= next);
		next = number + 1;
		at += sizeof *rec + (SIZE + 7) / 8 * 8;
	}
	CHECK(at == end);
	CHECK(t->lost >= lost);
	records += t->count;
	lost = t->lost;
}

int main(int argc, char *argv[])
{
	mapi_results_t *r;
	if (argc != 3)
		return EXIT_FAILURE;
	int fd = MUST(mapi_create_flow(argv[1]));
	int fid = MUST(mapi_apply_function(fd, "SAMPLES"));
	int count = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	if (strcmp(argv[2], "lockstep") == 0)
		MUST(mapi_apply_function(fd, "THRESHOLD", 2, fd, count, 1ull, 1, 0));
	MUST(mapi_connect(fd));
	printf("connected\n");
	while ((r = mapi_read_results(fd, fid))) {
		uint64_t before = records + lost;
		take(r);
		if (records + lost > before)
			printf("%llu read, %llu lost\n", (unsigned long long)records, (unsigned long long)lost);
		else
			usleep(1000);
	}
	CHECK(error_of(NULL) == MCOM_SOCKET_ERROR);
	FAILS(mapi_read_results(fd, fid), MCOM_SOCKET_ERROR);
	printf("end\n");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
