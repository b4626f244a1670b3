/*
 * Typical uses of the calls, in code that is valid C99 and C++. It only has to compile.
 */
#include <stddef.h>

#include <mapi.h>
#include <mapi/hashsamp.h>
#include <mapi/pktinfo.h>
#include <mapi/res2file.h>
#include <mapi/sample.h>

static boolean_t seen = FALSE;

static void on_packet(MAPI_UNUSED const struct mapipkt *packet)
{
	seen = TRUE;
}

static int failed(const char *what)
{
	char text[MAPI_ERRORSTR_LENGTH] = "";
	int number = 0;
	mapi_read_error(&number, text);
	syslog(LOG_ERR, "%s: %d %s", what, number, text);
	return -1;
}

static int apply(int fd, char *filter, unsigned long long limit)
{
	char path[MAPI_STR_LENGTH] = "out.pcap";
	int size = mapi_apply_function(fd, "PKTINFO", PKT_SIZE);
	mapi_apply_function(fd, "BPF_FILTER", filter);
	mapi_apply_function(fd, "BPF_FILTER", NULL);
	mapi_apply_function(fd, "SAMPLE", 10, PERIODIC);
	mapi_apply_function(fd, "TO_FILE", MFF_PCAP, path, limit);
	mapi_apply_function(fd, "RES2FILE", "1", "1@1", path, R2F_ULLSTR, "1s", TRUE);
	mapi_apply_function(fd, "STATS", fd, size, "0");
	mapi_apply_function(fd, "COOKING", -1, -1, 0, BOTH_SIDE);
	return mapi_apply_function(fd, "TO_BUFFER", WAIT);
}

int main(MAPI_UNUSED int argc, char *argv[])
{
	mapi_handler handler = on_packet;
	mapi_flow_info_t info;
	enum mapi_file_formats format = MFF_PCAP;
	int fd = mapi_create_offline_flow(argv[1], format);
	int buffer = apply(fd, argv[2], 1000);
	if (mapi_connect(fd) < 0 || mapi_loop(fd, buffer, 1, handler) != 0 || mapi_loop(fd, buffer, 1, on_packet) != 0)
		return failed(argv[1]);
	if (mapi_get_flow_info(fd, &info) == 0) {
		enum mapi_flow_status status = info.status;
		seen = status == FLOW_FINISHED && info.priority == 0;
	}
	struct sample *s = (struct sample *)mapi_read_results(fd, buffer)->res;
	return seen && (s->tcp_flags & TCP_SYN) ? mapi_close_flow(fd) : 1;
}
