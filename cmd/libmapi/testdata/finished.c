/*
 * The ways to the end of a capture file. Arguments: the file, its packets.
 */
#include "check.h"

static char *device;

static int start(const char *file, int *buffer)
{
	device = mapi_create_offline_device(file, MFF_PCAP);
	int fd = MUST(mapi_create_flow(device));
	*buffer = MUST(mapi_apply_function(fd, "TO_BUFFER", WAIT));
	MUST(mapi_connect(fd));
	MUST(mapi_start_offline_device(device));
	return fd;
}

static int taken(int fd, int buffer)
{
	return mapi_get_next_pkt(fd, buffer) != NULL;
}

/* Takes packets until the flow has finished. */
static int until_finished(const char *file)
{
	int buffer, n = 0, fd = start(file, &buffer);
	mapi_flow_info_t info;
	do {
		n += taken(fd, buffer);
		MUST(mapi_get_flow_info(fd, &info));
	} while (info.status != FLOW_FINISHED);
	MUST(mapi_delete_offline_device(device));
	return n;
}

/* Asks whether the flow has finished before it asks for each packet. It begins when the
   file was read, which another flow tells; before that it may ask in vain. */
static int asking_first(const char *file, int flag, int in_vain)
{
	device = mapi_create_offline_device(file, MFF_PCAP);
	int fd = MUST(mapi_create_flow(device)), other = MUST(mapi_create_flow(device));
	int n = 0, buffer = MUST(mapi_apply_function(fd, "TO_BUFFER", flag));
	mapi_flow_info_t info;
	MUST(mapi_connect(fd));
	MUST(mapi_connect(other));
	CHECK(!in_vain || !taken(fd, buffer));
	MUST(mapi_start_offline_device(device));
	await_end(other);
	for (MUST(mapi_get_flow_info(fd, &info)); info.status != FLOW_FINISHED; MUST(mapi_get_flow_info(fd, &info)))
		n += taken(fd, buffer);
	MUST(mapi_delete_offline_device(device));
	return n;
}

/* Waits until it has finished, and then takes packets. */
static int when_finished(const char *file)
{
	int buffer, n = 0, fd = start(file, &buffer);
	await_end(fd);
	while (taken(fd, buffer))
		n++;
	MUST(mapi_delete_offline_device(device));
	return n;
}

/* Asks for packets before there are any, without waiting: the flow has not finished
   before it has them. */
static int asked_before(const char *file)
{
	mapi_flow_info_t info;
	int n = 0;
	device = mapi_create_offline_device(file, MFF_PCAP);
	int fd = MUST(mapi_create_flow(device)), beside = MUST(mapi_create_flow(device));
	int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER", NOWAIT));
	MUST(mapi_connect(fd));
	MUST(mapi_connect(beside));
	CHECK(!taken(fd, buffer));
	MUST(mapi_start_offline_device(device));
	await_end(beside); /* the file fits into the buffer */
	while (MUST(mapi_get_flow_info(fd, &info)), info.status != FLOW_FINISHED)
		n += taken(fd, buffer);
	MUST(mapi_delete_offline_device(device));
	return n;
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return EXIT_FAILURE;
	CHECK(until_finished(argv[1]) == atoi(argv[2]));
	CHECK(asking_first(argv[1], NOWAIT, 1) == atoi(argv[2]));
	CHECK(asking_first(argv[1], NOWAIT, 0) == atoi(argv[2]));
	CHECK(asking_first(argv[1], WAIT, 0) == atoi(argv[2]));
	CHECK(when_finished(argv[1]) == atoi(argv[2]));
	CHECK(asked_before(argv[1]) == atoi(argv[2]));
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
