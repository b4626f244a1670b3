/*
 * A program that ignores the failure of ANONYMIZE, like those of the tutorial, must get no
 * packets, because they would not be anonymous. Argument: a capture file.
 */
#include "check.h"

/* Creates a flow like the tutorial: it ignores the return values of some calls. */
static int flow_with(const char *file, const char *name, const char *rule, int *fid)
{
	int fd = MUST(mapi_create_offline_flow(file, MFF_PCAP));
	mapi_apply_function(fd, "BPF_FILTER", "tcp");
	mapi_apply_function(fd, name, rule);
	*fid = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	return fd;
}

static void refused(const char *file, const char *name, const char *rule)
{
	int fid, fd = flow_with(file, name, rule, &fid);
	FAILS(mapi_connect(fd), MFUNCT_COULD_NOT_INIT_FUNCT);
	FAILS(mapi_get_next_pkt(fd, fid), MAPI_FLOW_NOT_CONNECTED);
	MUST(mapi_close_flow(fd));
}

/* Does the same with the other ways to apply a function. */
static void other_ways(const char *file)
{
	char *rule[] = {"IP, SRC_IP, MAP"};
	char text[512];
	int fd = MUST(mapi_create_offline_flow(file, MFF_PCAP));
	mapi_apply_function_array(fd, "ANONYMIZE", rule, 1);
	CHECK(mapi_connect(fd) == -1);
	CHECK(error_of(text) == MFUNCT_COULD_NOT_INIT_FUNCT && strstr(text, "ANONYMIZE"));
	MUST(mapi_close_flow(fd));

	int (*apply)(int, const char *, ...) = mapi_apply_function;
	fd = MUST(mapi_create_offline_flow(file, MFF_PCAP));
	apply(fd, "ANONYMIZE", rule[0]);
	FAILS(mapi_connect(fd), MFUNCT_COULD_NOT_INIT_FUNCT);
	MUST(mapi_close_flow(fd));
}

int main(int argc, char *argv[])
{
	int fid;
	if (argc != 2)
		return EXIT_FAILURE;
	refused(argv[1], "ANONYMIZE", "IP, SRC_IP, MAP");
	refused(argv[1], "anonflib:ANONYMIZE", "IP, DST_IP, MAP");
	refused(argv[1], "ANONYMIZE!1", "TCP, PAYLOAD, STRIP, 0");
	refused(argv[1], "ANONYMIZEIP", "0123456789abcdef0123456789abcdef");
	refused(argv[1], "ANONYMIZE", NULL);
	other_ways(argv[1]);
	int fd = flow_with(argv[1], "IMAGINARY FUNCTION", "", &fid); /* other failures do not matter, as in the original */
	MUST(mapi_connect(fd));
	CHECK(mapi_get_next_pkt(fd, fid) != NULL);
	MUST(mapi_close_flow(fd));
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
