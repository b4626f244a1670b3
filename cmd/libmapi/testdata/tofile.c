/*
 * Checks output files: a failed call does not change a file, a successful call empties
 * it. Arguments: a capture file, a folder.
 */
#include <sys/stat.h>

#include "check.h"

static const char content[] = "old content, which nobody wants to lose";
static char old[4096], none[4096];

static void untouched(int line)
{
	char now[sizeof content] = "";
	FILE *f = fopen(old, "r");
	if (!f || fread(now, 1, sizeof now, f) != sizeof content || memcmp(now, content, sizeof content) != 0) {
		printf("line %d: the file has changed\n", line);
		failures++;
	}
	fclose(f);
	CHECK(access(none, F_OK) != 0);
}

/* Tries the call with both paths: an existing file, and a file that does not exist. */
#define REFUSED(call, code)          \
	do {                         \
		char *path = old;    \
		FAILS(call, code);   \
		path = none;         \
		FAILS(call, code);   \
		untouched(__LINE__); \
	} while (0)

static void refused(int fd, int fid, int closed, int connected)
{
	char row[64];
	snprintf(row, sizeof row, "%d@%d", fid, fd);
	REFUSED(mapi_apply_function(fd, "TO_FILE", 13242312, path, 0), MFUNCT_COULD_NOT_APPLY_FUNCT);
	REFUSED(mapi_apply_function(fd, "TO_FILE", -1, path, 0), MFUNCT_COULD_NOT_APPLY_FUNCT);
	REFUSED(mapi_apply_function(fd, "TO_FILE", MFF_PCAP, path, -1), MFUNCT_INVALID_ARGUMENT_3);
	REFUSED(mapi_apply_function(fd, "TO_FILES", MFF_PCAP, path, 0), MAPI_FUNCTION_NOT_FOUND);
	REFUSED(mapi_apply_function(closed, "TO_FILE", MFF_PCAP, path, 0), MAPI_INVALID_FLOW);
	REFUSED(mapi_apply_function(4711, "TO_FILE", MFF_PCAP, path, 0), MAPI_INVALID_FLOW);
	REFUSED(mapi_apply_function(-1, "TO_FILE", MFF_PCAP, path, 0), MAPI_INVALID_FID_FUNCID);
	REFUSED(mapi_apply_function(connected, "TO_FILE", MFF_PCAP, path, 0), MFUNCT_COULD_NOT_APPLY_FUNCT);
	REFUSED(mapi_apply_function(fd, "RES2FILE", "1", row, "head", path), MFUNCT_INVALID_ARGUMENT_5);
	REFUSED(mapi_apply_function(fd, "RES2FILE", "1", row, "head", path, "soon", 0), MFUNCT_INVALID_ARGUMENT_5);
	REFUSED(mapi_apply_function(fd, "RES2FILE", "1", row, "head", path, "1s", 234), MFUNCT_INVALID_ARGUMENT_6);
	REFUSED(mapi_apply_function(fd, "RES2FILE", "1", "4711@4711", "head", path, "1s", 0), MFUNCT_INVALID_ARGUMENT_2);
	REFUSED(mapi_apply_function(fd, "RES2FILE", "9", row, "head", path, "1s", 0), MFUNCT_INVALID_ARGUMENT_1);
}

int main(int argc, char *argv[])
{
	struct stat st, before;
	if (argc != 3)
		return EXIT_FAILURE;
	snprintf(old, sizeof old, "%s/old", argv[2]);
	snprintf(none, sizeof none, "%s/none", argv[2]);
	FILE *f = fopen(old, "w");
	fwrite(content, 1, sizeof content, f);
	fclose(f);
	CHECK(stat(argv[1], &before) == 0);

	int closed = MUST(mapi_create_offline_flow(argv[1], MFF_PCAP));
	MUST(mapi_close_flow(closed));
	int connected = MUST(mapi_create_offline_flow(argv[1], MFF_PCAP));
	MUST(mapi_connect(connected));
	int fd = MUST(mapi_create_offline_flow(argv[1], MFF_PCAP));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	refused(fd, fid, closed, connected);
	FAILS(mapi_apply_function(fd, "TO_FILE", MFF_PCAP, argv[1], 0), MAPI_ERROR_FILE);
	CHECK(stat(argv[1], &st) == 0 && st.st_size == before.st_size && st.st_mtime == before.st_mtime);

	MUST(mapi_apply_function(fd, "TO_FILE", MFF_PCAP, old, 1));
	CHECK(stat(old, &st) == 0 && st.st_size == 0);
	MUST(mapi_apply_function(fd, "TO_FILE", MFF_PCAP, none, 0));
	CHECK(stat(none, &st) == 0 && st.st_size == 0);
	MUST(mapi_connect(fd));
	await_end(fd);
	MUST(mapi_close_flow(fd));
	CHECK(stat(none, &st) == 0 && st.st_size == before.st_size);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
