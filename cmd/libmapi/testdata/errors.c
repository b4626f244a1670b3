/*
 * Makes calls with wrong arguments in every state. Return values and error numbers must
 * be as documented. Arguments: a device, a capture file.
 */
#include <mapi/sample.h>
#include <mapi/topx.h>

#include "check.h"

static mapi_device_info_t device;
static mapi_lib_info_t library;
static mapi_libfunct_info_t libfunct;
static mapi_flow_info_t flow;
static mapi_function_info_t function;
static struct mapi_stat stat;

static void handler(const struct mapipkt *p)
{
	(void)p;
}

static void before_anything(void)
{
	FAILS(mapi_connect(1), MAPI_INIT_ERROR);
	FAILS(mapi_close_flow(1), MAPI_INIT_ERROR);
	FAILS(mapi_apply_function(1, "PKT_COUNTER"), MAPI_INIT_ERROR);
	FAILS(mapi_read_results(1, 1), MAPI_INIT_ERROR);
	FAILS(mapi_get_next_pkt(1, 1), MAPI_INIT_ERROR);
	FAILS(mapi_loop(1, 1, 1, handler), MAPI_INIT_ERROR);
	FAILS(mapi_get_flow_info(1, &flow), MAPI_INIT_ERROR);
	FAILS(mapi_get_function_info(1, 1, &function), MAPI_INIT_ERROR);
	FAILS(mapi_start_offline_device("x"), MAPI_INIT_ERROR);
	FAILS(mapi_delete_offline_device("x"), MAPI_INIT_ERROR);
	FAILS(mapi_stats("lo", &stat), MAPI_INIT_ERROR);
	FAILS(mapi_is_remote(1), MAPI_INVALID_FLOW);
	FAILS(mapi_get_scope_size(1), MAPI_INVALID_FLOW);
	CHECK(mapi_read_error(NULL, NULL) == -1);
	CHECK(error_of(NULL) == 0);
}

static void creating(const char *file)
{
	FAILS(mapi_create_flow(NULL), MAPI_DEVICE_INFO_ERR);
	FAILS(mapi_create_flow("HOW CARES"), MAPID_NO_DRIVER);
	FAILS(mapi_create_offline_device(NULL, MFF_PCAP), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_create_offline_device("/no/such/file", MFF_PCAP), MAPI_ERROR_FILE);
	FAILS(mapi_create_offline_device(file, MFF_NAPATECH), MAPID_NO_DRIVER);
	FAILS(mapi_create_offline_flow(NULL, MFF_PCAP), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_create_offline_flow("/no/such/file", MFF_PCAP), MAPI_ERROR_FILE);
}

static void numbers(int fd, int fid)
{
	FAILS(mapi_close_flow(13244), MAPI_INVALID_FLOW);
	FAILS(mapi_close_flow(0), MAPI_INVALID_FLOW);
	FAILS(mapi_connect(13244), MAPI_INVALID_FLOW);
	FAILS(mapi_connect(-1), MAPI_INVALID_FLOW);
	FAILS(mapi_read_results(123, fid), MAPI_INVALID_FLOW);
	FAILS(mapi_read_results(fd, -1244655), MAPI_INVALID_FLOW);
	FAILS(mapi_get_next_pkt(0, fid), MAPI_INVALID_FID_FUNCID);
	FAILS(mapi_get_next_pkt(fd, -1234), MAPI_INVALID_FID_FUNCID);
	FAILS(mapi_get_next_pkt(13244, 1), MAPI_INVALID_FLOW);
	FAILS(mapi_get_next_pkt(fd, 12345), MAPI_FLOW_NOT_CONNECTED);
	FAILS(mapi_loop(-123, fid, 1, handler), MAPI_INVALID_FID_FUNCID);
	FAILS(mapi_loop(fd, -12348, 1, handler), MAPI_INVALID_FID_FUNCID);
	FAILS(mapi_read_results(fd, fid), MAPI_FLOW_NOT_CONNECTED);
	FAILS(mapi_is_remote(4711), MAPI_INVALID_FLOW);
	CHECK(mapi_is_remote(fd) == 0 && mapi_get_scope_size(fd) == 1 && mapi_is_sensor_down(fd) == 0);
}

static void arguments(int fd)
{
	char *three[] = {(char *)"abc", (char *)"x", (char *)"0"};
	FAILS(mapi_apply_function(-12314, "PKT_COUNTER"), MAPI_INVALID_FID_FUNCID);
	FAILS(mapi_apply_function(12314, "PKT_COUNTER"), MAPI_INVALID_FLOW);
	FAILS(mapi_apply_function(fd, NULL), MFUNCT_COULD_NOT_APPLY_FUNCT);
	FAILS(mapi_apply_function(fd, "IMAGINARY FUNCTION"), MAPI_FUNCTION_NOT_FOUND);
	FAILS(mapi_apply_function(fd, "IMAGINARY FUNCTION", 1, "x"), MAPI_FUNCTION_NOT_FOUND);
	FAILS(mapi_apply_function(fd, ""), MFUNCT_COULD_NOT_APPLY_FUNCT);
	FAILS(mapi_apply_function(fd, "BPF_FILTER", "this is no filter"), PCAP_BPF_ERR);
	FAILS(mapi_apply_function(fd, "BPF_FILTER"), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_apply_function(fd, "BPF_FILTER", NULL), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_apply_function(fd, "BPF_FILTER", 0), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_apply_function(fd, "STR_SEARCH", "x", -120, 0), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_apply_function(fd, "STR_SEARCH", "x", 0, -1), MFUNCT_INVALID_ARGUMENT_3);
	FAILS(mapi_apply_function(fd, "STR_SEARCH", "x", 1ull << 40, 0), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_apply_function(fd, "TO_BUFFER", 7), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_apply_function(fd, "TO_FILE", 13242312, "/dev/null", 0), MFUNCT_COULD_NOT_APPLY_FUNCT);
	FAILS(mapi_apply_function(fd, "TO_FILE", MFF_PCAP, NULL, 0), MAPI_ERROR_FILE);
	FAILS(mapi_apply_function(fd, "TO_FILE", MFF_PCAP, "/no/such/folder/x", 0), MAPI_ERROR_FILE);
	FAILS(mapi_apply_function(fd, "STATS", 1000, 1000, "0"), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_apply_function_array(fd, "STR_SEARCH", three, 3), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_apply_function_array(fd, "BPF_FILTER", NULL, 9), MFUNCT_INVALID_ARGUMENT_1);
}

/* Functions that the daemon does not have yet, though the headers have their constants. */
static void to_come(const char *device)
{
	int fd = MUST(mapi_create_flow(device));
	FAILS(mapi_apply_function(fd, "TOP", 10, TOPX_TCP, TOPX_TCP_DSTPORT, SORT_BY_PACKETS, 0), MAPI_FUNCTION_NOT_FOUND);
	FAILS(mapi_apply_function(fd, "COOKING", 32000, 30, 0, BOTH_SIDE), MAPI_FUNCTION_NOT_FOUND);
	FAILS(mapi_apply_function(fd, "EXPIRED_FLOWS", 100, 100, 1), MAPI_FUNCTION_NOT_FOUND);
	FAILS(mapi_apply_function(fd, "ANONYMIZE", "IP,SRC_IP,ZERO"), MAPI_FUNCTION_NOT_FOUND);
	FAILS(mapi_apply_function(fd, "FLOW_REPORT", "IPFIX", "SHMEM", "", "%BYTES"), MAPI_FUNCTION_NOT_FOUND);
	FAILS(mapi_connect(fd), MFUNCT_COULD_NOT_INIT_FUNCT); /* packets would not be anonymous */
	MUST(mapi_close_flow(fd));
}

static void connected(int fd, int fid, int none)
{
	FAILS(mapi_connect(fd), MDLIB_FLOW_ALREADY_ACTIVE);
	FAILS(mapi_apply_function(fd, "PKT_COUNTER"), MFUNCT_COULD_NOT_APPLY_FUNCT);
	FAILS(mapi_read_results(fd, 4711), MAPI_INVALID_FID_FUNCID);
	FAILS(mapi_read_results(fd, none), MAPI_SHM_ERR);
	FAILS(mapi_get_next_pkt(fd, 4711), MAPI_INVALID_FID_FUNCID);
	FAILS(mapi_get_next_pkt(fd, fid), MAPI_SHM_ERR);
	FAILS(mapi_loop(fd, fid, 1, NULL), MFUNCT_INVALID_ARGUMENT_4);
}

static void information(int fd)
{
	FAILS(mapi_get_device_info(4711, &device), MAPI_DEVICE_INFO_ERR);
	FAILS(mapi_get_device_info(1, NULL), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_get_next_device_info(4711, &device), MAPI_DEVICE_INFO_ERR);
	FAILS(mapi_get_library_info(4711, &library), MFUNCT_NOT_SUPPORTED);
	FAILS(mapi_get_library_info(0, NULL), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_get_next_library_info(4711, &library), MFUNCT_NOT_SUPPORTED);
	FAILS(mapi_get_libfunct_info(4711, 0, &libfunct), MFUNCT_NOT_SUPPORTED);
	FAILS(mapi_get_libfunct_info(0, 4711, &libfunct), MFUNCT_NOT_SUPPORTED);
	FAILS(mapi_get_next_libfunct_info(0, 0, NULL), MFUNCT_INVALID_ARGUMENT_3);
	FAILS(mapi_get_flow_info(0, &flow), MAPI_INVALID_FLOW);
	FAILS(mapi_get_flow_info(fd, NULL), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_get_flow_info(12345, &flow), MAPI_INVALID_FLOW);
	FAILS(mapi_get_next_flow_info(fd, NULL), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_get_next_flow_info(fd, &flow), MAPI_FLOW_INFO_ERR);
	FAILS(mapi_get_next_flow_info(12345, &flow), MAPI_INVALID_FLOW);
	FAILS(mapi_get_next_flow_info(2147483647, &flow), MAPI_INVALID_FLOW);
	CHECK(mapi_get_next_flow_info(-7, &flow) == 0 && flow.fd == fd);
	FAILS(mapi_get_function_info(12375, 1, &function), MAPI_INIT_ERROR);
	FAILS(mapi_get_function_info(fd, 3123, &function), MAPI_FUNCTION_INFO_ERR);
	FAILS(mapi_get_function_info(fd, 1, NULL), MFUNCT_INVALID_ARGUMENT_3);
	FAILS(mapi_get_next_function_info(fd, 3123, &function), MAPI_FUNCTION_INFO_ERR);
	FAILS(mapi_get_next_function_info(12375, 0, &function), MAPI_INIT_ERROR);
	FAILS(mapi_get_next_function_info(0, 0, &function), MAPI_INVALID_FID_FUNCID);
}

static void no_flow_left(int closed, int fid)
{
	FAILS(mapi_get_flow_info(closed, &flow), MAPI_INVALID_FLOW);
	FAILS(mapi_get_next_flow_info(0, &flow), MAPI_FLOW_INFO_ERR);
	FAILS(mapi_get_next_flow_info(-7, &flow), MAPI_FLOW_INFO_ERR);
	FAILS(mapi_get_next_flow_info(closed, &flow), MAPI_INVALID_FLOW);
	FAILS(mapi_get_function_info(closed, fid, &function), MAPI_INIT_ERROR);
	FAILS(mapi_get_next_function_info(closed, fid, &function), MAPI_INIT_ERROR);
}

/* Texts that exceed the size of a message. */
static void too_long(int fd)
{
	static char text[100000];
	memset(text, 'x', sizeof text - 1);
	FAILS(mapi_apply_function(fd, "BPF_FILTER", text), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_apply_function(fd, "STARTSTOP", "+1s", text), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_apply_function(fd, text), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_create_flow(text), MFUNCT_INVALID_ARGUMENT_1);
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return EXIT_FAILURE;
	before_anything();
	creating(argv[2]);
	before_anything();
	int fd = MUST(mapi_create_flow(argv[1]));
	int none = MUST(mapi_apply_function(fd, "SAMPLE", 1, PERIODIC));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER", "surplus", 7));
	numbers(fd, fid);
	arguments(fd);
	to_come(argv[1]);
	too_long(fd);
	MUST(mapi_connect(fd));
	connected(fd, fid, none);
	information(fd);
	FAILS(mapi_start_offline_device("no such device"), MAPID_NO_DEVICE);
	FAILS(mapi_delete_offline_device("no such device"), MAPID_NO_DEVICE);
	FAILS(mapi_start_offline_device(NULL), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_delete_offline_device(NULL), MFUNCT_INVALID_ARGUMENT_1);
	FAILS(mapi_stats(NULL, &stat), MAPI_DEVICE_INFO_ERR);
	FAILS(mapi_stats(argv[1], NULL), MFUNCT_INVALID_ARGUMENT_2);
	FAILS(mapi_stats("no such device", &stat), MAPI_STATS_ERROR);
	MUST(mapi_close_flow(fd));
	FAILS(mapi_close_flow(fd), MAPI_INVALID_FLOW);
	FAILS(mapi_read_results(fd, fid), MAPI_INVALID_FLOW);
	no_flow_left(fd, fid);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
