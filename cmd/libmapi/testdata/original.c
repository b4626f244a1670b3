/*
 * Makes calls like a program compiled with the original's headers, which do not count
 * the arguments. Arguments: a device, a path.
 */
#include "check.h"

int main(int argc, char *argv[])
{
	int (*apply)(int, const char *, ...) = mapi_apply_function;
	char row[32];
	if (argc != 3)
		return EXIT_FAILURE;
	int fd = MUST(mapi_create_flow(argv[1]));
	int fid = MUST(apply(fd, "PKT_COUNTER"));
	MUST(apply(fd, "BPF_FILTER", "udp"));
	MUST(apply(fd, "SAMPLE", 2, 2));
	MUST(apply(fd, "TO_FILE", MFF_PCAP, argv[2], 5ull));
	MUST(apply(fd, "THRESHOLD", 2, fd, fid, 1000000ull, 1, 0, 1, 0));
	/* The original has seven arguments. An eighth one would be a random value and no valid
	   flag. */
	for (int i = 0; i < 3; i++)
		MUST(apply(fd, "BURST", 0, 10000, 1000, 160, 12304, 12304, 1000));
	snprintf(row, sizeof row, "%d@%d", fid, fd);
	FAILS(apply(fd, "RES2FILE", row, "no function", "head", "none", "5s", 234), MFUNCT_INVALID_ARGUMENT_6);
	FAILS(apply(fd, "RES2FILE", row, "no function", "head", "none", "5s", 0), MFUNCT_INVALID_ARGUMENT_2);
	MUST(mapi_connect(fd));
	MUST(mapi_close_flow(fd));
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
