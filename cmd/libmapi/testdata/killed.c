/*
 * Reads until the daemon has ended, then checks the results of the calls. Arguments:
 * "results", "packets" or "series", and a device.
 */
#include "check.h"

int main(int argc, char *argv[])
{
	mapi_flow_info_t info;
	if (argc != 3)
		return EXIT_FAILURE;
	FAILS(mapi_is_sensor_down(1), MAPI_INVALID_FLOW);
	int fd = MUST(mapi_create_flow(argv[2]));
	int count = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	int bucket = MUST(mapi_apply_function(fd, "BUCKET", fd, count, "0", 0));
	MUST(mapi_connect(fd));
	error_of(NULL);
	if (strcmp(argv[1], "packets") == 0)
		while (mapi_get_next_pkt(fd, buffer))
			;
	else if (strcmp(argv[1], "series") == 0)
		while (mapi_read_results(fd, bucket))
			;
	else
		for (int code = 0; code == 0; code = error_of(NULL))
			counter(fd, count); /* the value stays readable in spite of the error */
	while (mapi_is_sensor_down(fd) == 0)
		usleep(1000);
	error_of(NULL);
	CHECK(counter(fd, count) == 0 && error_of(NULL) == MCOM_SOCKET_ERROR);
	FAILS(mapi_get_next_pkt(fd, buffer), MCOM_SOCKET_ERROR);
	FAILS(mapi_loop(fd, buffer, 1, NULL), MFUNCT_INVALID_ARGUMENT_4);
	FAILS(mapi_connect(fd), MCOM_SOCKET_ERROR);
	FAILS(mapi_get_flow_info(fd, &info), MCOM_INIT_SOCKET_ERROR);
	FAILS(mapi_create_flow(argv[2]), MCOM_INIT_SOCKET_ERROR);
	FAILS(mapi_close_flow(fd), MCOM_SOCKET_ERROR);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
