/*
 * fork. Arguments: "before", "during", "after" or "handler", a device. Before the first
 * call a program may go into the background; after it the child has no library, and the
 * parent goes on, also when a handler has made it in a call, to which both return. While
 * another thread makes the first call the child has one of both.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "check.h"

/* As daemons do, and they close everything. */
static void into_background(void)
{
	if (fork() != 0)
		_exit(EXIT_SUCCESS);
	setsid();
	if (fork() != 0)
		_exit(EXIT_SUCCESS);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
}

static int count(const char *dev)
{
	int fd = MUST(mapi_create_flow(dev));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	MUST(mapi_connect(fd));
	while (counter(fd, fid) < 100)
		usleep(1000);
	printf("%llu packets\n", counter(fd, fid));
	return mapi_close_flow(fd);
}

/* What a child may do: find out that it can do nothing. */
static void in_child(int fd, int count, int buffer, int bucket)
{
	mapi_flow_info_t info;
	FAILS(mapi_read_results(fd, count), MCOM_SOCKET_ERROR);
	FAILS(mapi_read_results(fd, bucket), MCOM_SOCKET_ERROR);
	FAILS(mapi_get_next_pkt(fd, buffer), MCOM_SOCKET_ERROR);
	FAILS(mapi_create_flow("lo"), MCOM_SOCKET_ERROR);
	FAILS(mapi_create_offline_device("/dev/null", MFF_PCAP), MCOM_SOCKET_ERROR);
	FAILS(mapi_apply_function(fd, "PKT_COUNTER"), MCOM_SOCKET_ERROR);
	FAILS(mapi_connect(fd), MCOM_SOCKET_ERROR);
	FAILS(mapi_get_flow_info(fd, &info), MCOM_SOCKET_ERROR);
	FAILS(mapi_get_next_flow_info(0, &info), MCOM_SOCKET_ERROR);
	FAILS(mapi_close_flow(fd), MCOM_SOCKET_ERROR);
	exit(failures);
}

static void after(const char *dev)
{
	int status;
	int fd = MUST(mapi_create_flow(dev));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	int bucket = MUST(mapi_apply_function(fd, "BUCKET", fd, fid, "0", 0));
	MUST(mapi_connect(fd));
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		if (child == 0)
			in_child(fd, fid, buffer, bucket);
		CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
		CHECK(system("true") == 0);
		CHECK(mapi_read_results(fd, fid) != NULL);
	}
	MUST(mapi_close_flow(fd));
}

enum { CHILDREN = 20 };

static pid_t children[CHILDREN];
static volatile sig_atomic_t made, is_child;

static void forks(int s)
{
	(void)s;
	if (is_child || made == CHILDREN)
		return;
	pid_t child = fork();
	if (child == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(30);
		is_child = 1;
		return;
	}
	children[made++] = child;
}

static void in_handler(const char *dev)
{
	const struct itimerval often = {.it_value.tv_usec = 3000, .it_interval.tv_usec = 3000};
	mapi_flow_info_t info;
	int status, fd = MUST(mapi_create_flow(dev));
	signal(SIGALRM, forks);
	setitimer(ITIMER_REAL, &often, NULL);
	while (!is_child && made < CHILDREN)
		if (mapi_get_flow_info(fd, &info) != 0 && !is_child)
			MUST(-1);
	if (is_child) {
		FAILS(mapi_get_flow_info(fd, &info), MCOM_SOCKET_ERROR);
		_exit(failures);
	}
	for (int i = 0; i < CHILDREN; i++)
		CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
}

static int called;

static void *first_call(void *dev)
{
	MUST(mapi_create_flow(dev));
	__atomic_store_n(&called, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Forks all the time until the first call is made. The children hold the pipe while they
   are there, and do not outlive their parent. */
static void during(char *dev)
{
	enum { CHILDREN = 200, PATIENCE = 60000 };
	int children = 0, status, there[2];
	pthread_t thread;
	CHECK(pipe(there) == 0 && pthread_create(&thread, NULL, first_call, dev) == 0);
	for (; children < CHILDREN && !__atomic_load_n(&called, __ATOMIC_ACQUIRE); children++) {
		pid_t child = fork();
		if (child == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
			_exit(mapi_create_flow(dev) > 0 || error_of(NULL) == MCOM_SOCKET_ERROR ? EXIT_SUCCESS : EXIT_FAILURE);
		CHECK(child > 0);
	}
	pthread_join(thread, NULL);
	close(there[1]);
	struct pollfd all_gone = {.fd = there[0], .events = POLLIN};
	CHECK(poll(&all_gone, 1, PATIENCE) == 1);
	while (failures == 0 && children-- > 0)
		CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return EXIT_FAILURE;
	if (strcmp(argv[1], "before") == 0) {
		into_background();
		return count(argv[2]);
	}
	if (strcmp(argv[1], "handler") == 0)
		in_handler(argv[2]);
	else if (strcmp(argv[1], "during") == 0)
		during(argv[2]);
	else
		after(argv[2]);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
