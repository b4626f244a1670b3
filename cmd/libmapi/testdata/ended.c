/*
 * Connects flows after the daemon has read their file to its end. Argument: a capture
 * file.
 */
#include "check.h"

int main(int argc, char *argv[])
{
	char text[512];
	if (argc != 2)
		return EXIT_FAILURE;
	char *device = mapi_create_offline_device(argv[1], MFF_PCAP);
	int fd = MUST(mapi_create_flow(device)), late = MUST(mapi_create_flow(device));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	int none = MUST(mapi_apply_function(late, "PKT_COUNTER"));
	MUST(mapi_connect(fd));
	MUST(mapi_start_offline_device(device));
	await_end(fd);
	FAILS(mapi_connect(fd), MDLIB_FLOW_ALREADY_ACTIVE);
	CHECK(counter(fd, fid) > 0);
	CHECK(mapi_connect(late) == -1);
	CHECK(error_of(text) == MAPI_CONNECT && strstr(text, "the file was read to its end"));
	FAILS(mapi_read_results(late, none), MAPI_FLOW_NOT_CONNECTED);
	MUST(mapi_delete_offline_device(device));
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
