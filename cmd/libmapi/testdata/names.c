/*
 * A name of a device that the program has freed itself, and a text of its own in the
 * same place: that is not freed. Argument: a capture file. One arena of malloc(3) makes
 * the same place likely.
 */
#include "check.h"

enum { RUNS = 200, ROOM = 4096 + 16 /* as the library allocates */ };

static char *created(const char *file)
{
	char *name = mapi_create_offline_device(file, MFF_PCAP);
	if (!name)
		MUST(-1);
	return name;
}

int main(int argc, char *argv[])
{
	int same = 0;
	if (argc != 2)
		return EXIT_FAILURE;
	for (int i = 0; i < RUNS && same < 3; i++) {
		char *name = created(argv[1]), *copy = strdup(name);
		MUST(mapi_delete_offline_device(copy));
		free(copy);
		uintptr_t place = (uintptr_t)name;
		free(name);
		name = created(argv[1]);
		char *own = malloc(ROOM);
		same += (uintptr_t)own == place;
		strcpy(own, name);
		MUST(mapi_delete_offline_device(own));
		free(own);
		free(name);
	}
	CHECK(same > 0);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
