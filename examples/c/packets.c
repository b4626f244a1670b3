/*
 * Prints the packets of a capture file that contain a text.
 *
 *	cc packets.c -o packets -lmapi && ./packets trace.pcap "GET /"
 */
#include <stdio.h>
#include <stdlib.h>

#include <mapi.h>

static void print(const struct mapipkt *p)
{
	unsigned long long us = ((p->ts & 0xffffffff) * 1000000) >> 32;
	printf("%llu.%06llu %u of %u bytes\n", p->ts >> 32, us, p->caplen, p->wlen);
}

static int failed(const char *what)
{
	char text[MAPI_ERRORSTR_LENGTH] = "";
	mapi_read_error(NULL, text);
	fprintf(stderr, "%s: %s\n", what, text);
	return EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	if (argc != 3) {
		fprintf(stderr, "usage: packets FILE TEXT\n");
		return 2;
	}
	int fd = mapi_create_offline_flow(argv[1], MFF_PCAP);
	if (fd < 0)
		return failed(argv[1]);
	if (mapi_apply_function(fd, "STR_SEARCH", argv[2], 0, 0) < 0)
		return failed(argv[2]);
	int buffer = mapi_apply_function(fd, "TO_BUFFER");
	if (buffer < 0 || mapi_connect(fd) < 0)
		return failed("connect");
	if (mapi_loop(fd, buffer, 0, print) != 0) /* 0: until the end of the file */
		return failed("read");
	return mapi_close_flow(fd) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
