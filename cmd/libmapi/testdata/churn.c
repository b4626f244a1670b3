/*
 * Creates and closes many flows. The numbers of mappings and descriptors must not grow.
 * Argument: a device.
 */
#include <dirent.h>

#include "check.h"

static int lines_of(const char *path)
{
	int c, n = 0;
	FILE *f = fopen(path, "r");
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static int descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void some_flows(const char *dev)
{
	int fd[10];
	for (int i = 0; i < 10; i++) {
		fd[i] = MUST(mapi_create_flow(dev));
		MUST(mapi_apply_function(fd[i], "PKT_COUNTER"));
		MUST(mapi_apply_function(fd[i], "TO_BUFFER"));
		MUST(mapi_connect(fd[i]));
	}
	for (int i = 0; i < 10; i++)
		MUST(mapi_close_flow(fd[i]));
}

int main(int argc, char *argv[])
{
	if (argc != 2)
		return EXIT_FAILURE;
	for (int i = 0; i < 5; i++)
		some_flows(argv[1]);
	int maps = lines_of("/proc/self/maps"), files = descriptors();
	for (int i = 0; i < 30; i++)
		some_flows(argv[1]);
	CHECK(lines_of("/proc/self/maps") < maps + 100);
	CHECK(descriptors() < files + 20);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
