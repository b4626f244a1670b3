/*
 * Looks at what the daemon and another program have, and creates nothing itself.
 * Argument: the device on which the other program has a flow with PKT_COUNTER.
 */
#include "check.h"

static void told_of(const char *device, mapi_flow_info_t flow)
{
	struct mapi_stat stat;
	mapi_flow_info_t again;
	mapi_function_info_t function, same;
	MUST(mapi_get_flow_info(flow.fd, &again));
	CHECK(strcmp(again.device, device) == 0 && again.fd == flow.fd && again.num_functions == 1);
	MUST(mapi_get_next_function_info(flow.fd, 0, &function));
	MUST(mapi_get_function_info(flow.fd, function.fid, &same));
	CHECK(strcmp(same.name, "PKT_COUNTER") == 0);
	CHECK(mapi_stats(device, &stat) == 1);
	FAILS(mapi_read_results(flow.fd, function.fid), MAPI_INVALID_FLOW);
	FAILS(mapi_apply_function(flow.fd, "PKT_COUNTER"), MAPI_INVALID_FLOW);
	FAILS(mapi_connect(flow.fd), MAPI_INVALID_FLOW);
	FAILS(mapi_close_flow(flow.fd), MAPI_INVALID_FLOW);
}

int main(int argc, char *argv[])
{
	mapi_flow_info_t flow;
	if (argc != 2)
		return EXIT_FAILURE;
	FAILS(mapi_get_flow_info(1, &flow), MAPI_INIT_ERROR);
	MUST(mapi_get_next_flow_info(0, &flow));
	told_of(argv[1], flow);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
