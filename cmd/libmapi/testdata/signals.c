/*
 * Signals. Arguments: what to do, a device.
 *
 *	results, packets, series   read until the handler closes the flow
 *	restart                    a handler with SA_RESTART leaves a wait alone
 *	interrupt                  one without ends it
 *	jump                       a handler may leave a wait by longjmp
 *	leave                      and calls, more of them than there are at a time
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "check.h"

static int fd, fid, buffer, bucket;
static volatile sig_atomic_t signals;
static sigjmp_buf back;

static void closes(int s)
{
	int before = errno;
	(void)s;
	MUST(mapi_close_flow(fd));
	CHECK(errno == before);
}

static void counts(int s)
{
	(void)s;
	if (++signals == 3)
		MUST(mapi_close_flow(fd));
}

static void nothing(int s)
{
	(void)s;
	signals++;
}

static void jumps(int s)
{
	(void)s;
	siglongjmp(back, 1);
}

static void make(const char *dev)
{
	fd = MUST(mapi_create_flow(dev));
	MUST(mapi_apply_function(fd, "BPF_FILTER", "udp and port 9"));
	fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	buffer = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	bucket = MUST(mapi_apply_function(fd, "BUCKET", fd, fid, "0", 0));
	MUST(mapi_connect(fd));
}

static void on_alarm(void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct itimerval soon = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000};
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void no_alarm(void)
{
	struct itimerval never = {.it_value.tv_usec = 0};
	setitimer(ITIMER_REAL, &never, NULL);
}

static void *read_one(const char *what)
{
	if (strcmp(what, "results") == 0)
		return mapi_read_results(fd, fid);
	if (strcmp(what, "series") == 0)
		return mapi_read_results(fd, bucket);
	return mapi_get_next_pkt(fd, buffer);
}

static void reads(const char *what, int flags)
{
	struct itimerval soon = {.it_value.tv_usec = 20000}; /* once */
	on_alarm(closes, flags);
	setitimer(ITIMER_REAL, &soon, NULL);
	error_of(NULL);
	while (read_one(what))
		;
	CHECK(error_of(NULL) == MAPI_INVALID_FLOW);
	FAILS(mapi_close_flow(fd), MAPI_INVALID_FLOW);
}

static void restart(void)
{
	on_alarm(counts, SA_RESTART);
	error_of(NULL);
	CHECK(mapi_get_next_pkt(fd, buffer) == NULL);
	CHECK(signals >= 3 && error_of(NULL) == MAPI_INVALID_FLOW);
	no_alarm();
}

static void interrupt(void)
{
	on_alarm(nothing, 0);
	FAILS(mapi_get_next_pkt(fd, buffer), MAPI_SEM_ERR);
	FAILS(mapi_read_results(fd, bucket), MAPI_SEM_ERR);
	CHECK(signals >= 2);
	no_alarm();
	MUST(mapi_close_flow(fd));
}

static void jump(void)
{
	static volatile int times;
	if (sigsetjmp(back, 1) != 0 && ++times == 5) {
		no_alarm();
		MUST(mapi_close_flow(fd));
		return;
	}
	on_alarm(jumps, 0);
	mapi_get_next_pkt(fd, buffer);
	CHECK(!"it does not return");
}

static void leave(void)
{
	static volatile int times;
	struct itimerval soon = {.it_value.tv_usec = 200};
	mapi_device_info_t info;
	signal(SIGALRM, jumps);
	while (times < 300) {
		if (sigsetjmp(back, 1) != 0) {
			times++;
			continue;
		}
		setitimer(ITIMER_REAL, &soon, NULL);
		for (;;)
			MUST(mapi_get_next_device_info(-1, &info));
	}
	time_t begun = time(NULL);
	MUST(mapi_get_next_device_info(-1, &info));
	CHECK(time(NULL) - begun < 20);
	MUST(mapi_close_flow(fd));
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return EXIT_FAILURE;
	for (int i = 0; i < 20; i++) {
		signals = 0;
		make(argv[2]);
		if (strcmp(argv[1], "restart") == 0)
			restart();
		else if (strcmp(argv[1], "interrupt") == 0)
			interrupt();
		else if (strcmp(argv[1], "jump") == 0) {
			jump();
			break;
		} else if (strcmp(argv[1], "leave") == 0) {
			leave();
			break;
		} else
			reads(argv[1], i % 2 ? SA_RESTART : 0);
	}
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
