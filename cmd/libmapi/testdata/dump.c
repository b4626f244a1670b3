/* Prints the packets of a capture file: time, lengths, and a checksum of the bytes. */
#include "check.h"

int main(int argc, char *argv[])
{
	struct mapipkt *p;
	if (argc != 2)
		return EXIT_FAILURE;
	int fd = MUST(mapi_create_offline_flow(argv[1], MFF_PCAP));
	int fid = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	MUST(mapi_connect(fd));
	while ((p = mapi_get_next_pkt(fd, fid))) {
		unsigned long long us = (p->ts & 0xffffffff) * 1000000 >> 32; /* rounded down, as in programs */
		unsigned int sum = 0;
		for (uint32_t i = 0; i < p->caplen; i++)
			sum = sum * 31 + (&p->pkt)[i];
		printf("%llu %u %u %u\n", (p->ts >> 32) * 1000000 + us, p->caplen, p->wlen, sum);
	}
	CHECK(error_of(NULL) == 0);
	MUST(mapi_close_flow(fd));
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
