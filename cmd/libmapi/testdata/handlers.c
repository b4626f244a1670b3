/*
 * Makes calls in a handler that interrupts malloc and free. Arguments: a device, a
 * capture file.
 */
#include <signal.h>
#include <sys/time.h>

#include "check.h"

enum { RUNS = 200, BLOCKS = 20000 };

static const char *dev, *file;
static volatile sig_atomic_t runs;

static void on_file(void)
{
	char *name = mapi_create_offline_device(file, MFF_PCAP);
	if (!name)
		MUST(-1);
	int fd = MUST(mapi_create_flow(name));
	MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	MUST(mapi_connect(fd));
	MUST(mapi_start_offline_device(name));
	MUST(mapi_close_flow(fd));
	MUST(mapi_delete_offline_device(name));
}

static void on_device(void)
{
	int fd = MUST(mapi_create_flow(dev));
	MUST(mapi_apply_function(fd, "BPF_FILTER", "tcp"));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	MUST(mapi_connect(fd));
	counter(fd, fid);
	MUST(mapi_close_flow(fd));
}

static void handler(int s)
{
	(void)s;
	if (runs % 2 == 0)
		on_file();
	else
		on_device();
	runs++;
}

int main(int argc, char *argv[])
{
	static void *block[BLOCKS];
	struct itimerval often = {.it_value.tv_usec = 1000, .it_interval.tv_usec = 1000};
	if (argc != 3)
		return EXIT_FAILURE;
	dev = argv[1], file = argv[2];
	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &often, NULL); /* the first call may be in the handler */
	while (runs < RUNS) {
		for (int i = 0; i < BLOCKS; i++)
			block[i] = malloc(16);
		for (int i = 0; i < BLOCKS; i++)
			free(block[i]);
	}
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
