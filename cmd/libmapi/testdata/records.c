/* Reads the records of SAMPLES as tables, until the end of a capture file. */
#include "check.h"

struct table { uint64_t count, lost; };
struct record { uint64_t ts; uint16_t kind, zero; uint32_t length; unsigned char data[]; };

static unsigned long records, ipv4, bytes;

/* Counts the records of a table and checks that they fill it exactly. */
static void count(const mapi_results_t *r)
{
	const struct table *t = r->res;
	const unsigned char *at = (const unsigned char *)(t + 1), *end = (const unsigned char *)r->res + r->size;
	for (uint64_t n = 0; n < t->count; n++) {
		const struct record *rec = (const struct record *)at;
		CHECK(rec->zero == 0 && rec->ts == (uint64_t)records << 32);
		CHECK(rec->kind == 4 ? rec->data[0] == 0x45 : rec->kind == 1 && rec->length == 4);
		records++;
		ipv4 += rec->kind == 4;
		bytes += rec->length;
		at += sizeof *rec + (rec->length + 7) / 8 * 8;
	}
	CHECK(at == end);
	CHECK(t->lost == 0);
}

int main(int argc, char *argv[])
{
	mapi_results_t *r;
	if (argc != 2)
		return EXIT_FAILURE;
	int fd = MUST(mapi_create_offline_flow(argv[1], MFF_PCAP));
	int fid = MUST(mapi_apply_function(fd, "SAMPLES"));
	FAILS(mapi_read_results(fd, fid), MAPI_FLOW_NOT_CONNECTED);
	MUST(mapi_connect(fd));
	FAILS(mapi_get_next_pkt(fd, fid), MAPI_SHM_ERR);
	while ((r = mapi_read_results(fd, fid)))
		count(r);
	CHECK(error_of(NULL) == 0);
	printf("%lu records, %lu of IPv4, %lu bytes\n", records, ipv4, bytes);

	/* A flow that is closed with records that nobody has read. */
	int other = MUST(mapi_create_offline_flow(argv[1], MFF_PCAP));
	fid = MUST(mapi_apply_function(other, "SAMPLES"));
	MUST(mapi_connect(other));
	while ((r = mapi_read_results(other, fid)) && r->size == sizeof(struct table))
		;
	CHECK(r != NULL);
	MUST(mapi_close_flow(other));
	FAILS(mapi_read_results(other, fid), MAPI_INVALID_FLOW);
	MUST(mapi_close_flow(fd));
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
