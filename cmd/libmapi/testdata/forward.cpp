/*
 * Arguments that a template hands on. Arguments: a device, a path.
 */
#include "check.h"

template <typename... A> static int apply(int fd, const char *function, A... args)
{
	return MUST(mapi_apply_function(fd, function, args...));
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return EXIT_FAILURE;
	int fd = MUST(mapi_create_flow(argv[1]));
	int fid = apply(fd, "PKT_COUNTER");
	apply(fd, "BPF_FILTER", "udp");
	apply(fd, "TO_FILE", MFF_PCAP, argv[2], 5);
	apply(fd, "TO_FILE", MFF_PCAP, argv[2], 5ull << 40);
	apply(fd, "THRESHOLD", 2, fd, fid, 1000000ull, 1, 0, 1, 0);
	apply(fd, "BURST", 0, 10000, 1000, 160, 12304, 12304, 1000);
	apply(fd, "TO_BUFFER");
	FAILS(mapi_apply_function(fd, "BPF_FILTER"), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_apply_function(fd, "STR_SEARCH", "x", 1ull << 40, 0), MFUNCT_INVALID_ARGUMENT_2);
	MUST(mapi_connect(fd));
	MUST(mapi_close_flow(fd));
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
