/*
 * Programs that use libpcap, as one would write them without a daemon: the other
 * side of the benchmark. Each of them has tasks:
 *
 *   f EXPRESSION   count the packets that match
 *   s STRING       count the packets that contain the string
 *   p PERIOD       count every PERIOD-th packet
 *
 * "programs file FILE PACKETS" does all tasks that standard input has, one a line: it
 * reads so many packets of FILE, 0 for all, and prints the CPU time of that in
 * nanoseconds, then packets and bytes of each task.
 *
 * "programs live INTERFACE RING TASK" has a capture whose ring has RING bytes. Like
 * tcpdump it says on standard error when it is "listening on" the interface, and on
 * SIGUSR1 what it has captured, counted and lost.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SNAPLEN = 65535, TIMEOUT = 100 /* ms, before a block that is not full is read */ };

struct task {
	char kind; /* 'f', 's' or 'p' */
	char *text;
	size_t length;
	struct bpf_program program;
	size_t skip[256]; /* of a string, by the byte under its last one */
	uint64_t period, phase;
	uint64_t packets, bytes;
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "libpcap programs: %s: %s\n", what, why);
	exit(1);
}

/* Boyer-Moore-Horspool. */
static int contains(const struct task *t, const u_char *data, size_t n)
{
	const u_char last = (u_char)t->text[t->length - 1];

	for (size_t at = t->length - 1; at < n; at += t->skip[data[at]])
		if (data[at] == last && memcmp(data + at + 1 - t->length, t->text, t->length) == 0)
			return 1;
	return 0;
}

static void search_for(struct task *t)
{
	if (t->length == 0)
		fail("search", "empty string");
	for (size_t i = 0; i < 256; i++)
		t->skip[i] = t->length;
	for (size_t i = 0; i + 1 < t->length; i++)
		t->skip[(u_char)t->text[i]] = t->length - 1 - i;
}

static void parse_task(struct task *t, char *line)
{
	if (strlen(line) < 3)
		fail("task", line);
	memset(t, 0, sizeof *t);
	t->kind = line[0];
	t->text = line + 2;
	t->length = strlen(t->text);
	if (t->kind == 's')
		search_for(t);
	if (t->kind == 'p')
		t->period = strtoull(t->text, NULL, 10);
}

/* read_task reads the next line; it returns 0 at the end. */
static int read_task(struct task *t)
{
	char *line = NULL;
	size_t room = 0;

	if (getline(&line, &room, stdin) < 0)
		return 0;
	line[strcspn(line, "\n")] = 0;
	parse_task(t, line);
	return 1;
}

static void compile(pcap_t *p, struct task *t)
{
	if (pcap_compile(p, &t->program, t->text, 1, 0) != 0)
		fail(t->text, pcap_geterr(p));
}

static void count(struct task *t, const struct pcap_pkthdr *h)
{
	t->packets++;
	t->bytes += h->len;
}

static void examine(struct task *t, const struct pcap_pkthdr *h, const u_char *data)
{
	switch (t->kind) {
	case 'f':
		if (pcap_offline_filter(&t->program, h, data))
			count(t, h);
		break;
	case 's':
		if (contains(t, data, h->caplen))
			count(t, h);
		break;
	case 'p':
		if (++t->phase == t->period) {
			t->phase = 0;
			count(t, h);
		}
	}
}

static uint64_t cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int run_file(const char *path, uint64_t packets)
{
	char why[PCAP_ERRBUF_SIZE];
	struct task *tasks = NULL, t;
	size_t n = 0, room = 0;
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p = pcap_open_offline(path, why);

	if (!p)
		fail(path, why);
	for (; read_task(&t); n++) {
		if (n == room && !(tasks = realloc(tasks, (room = 2 * room + 16) * sizeof t)))
			fail("tasks", strerror(errno));
		if (t.kind == 'f')
			compile(p, &t);
		tasks[n] = t;
	}
	uint64_t before = cpu();
	for (uint64_t i = 0; packets == 0 || i < packets; i++) {
		if (pcap_next_ex(p, &h, &data) != 1)
			break;
		for (size_t j = 0; j < n; j++)
			examine(&tasks[j], h, data);
	}
	printf("%llu\n", (unsigned long long)(cpu() - before));
	for (size_t j = 0; j < n; j++)
		printf("%llu %llu\n", (unsigned long long)tasks[j].packets, (unsigned long long)tasks[j].bytes);
	return 0;
}

static pcap_t *capture;
static volatile sig_atomic_t asked;

static void ask(int signal)
{
	(void)signal;
	asked = 1;
	pcap_breakloop(capture);
}

struct watch {
	struct task *task;
	uint64_t seen;
};

static void got(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct watch *w = (struct watch *)user;

	w->seen++;
	if (w->task->kind == 'f') /* the kernel has filtered */
		count(w->task, h);
	else
		examine(w->task, h, data);
}

static void answer(const struct watch *w)
{
	struct pcap_stat s;

	if (pcap_stats(capture, &s) != 0)
		fail("statistics", pcap_geterr(capture));
	fprintf(stderr, "%llu packets captured, %llu packets counted, %u packets dropped by kernel\n",
	        (unsigned long long)w->seen, (unsigned long long)w->task->packets, s.ps_drop);
}

static void open_capture(const char *interface, int ring, struct task *t)
{
	char why[PCAP_ERRBUF_SIZE];

	capture = pcap_create(interface, why);
	if (!capture)
		fail(interface, why);
	pcap_set_snaplen(capture, SNAPLEN);
	pcap_set_promisc(capture, 1);
	pcap_set_timeout(capture, TIMEOUT);
	pcap_set_buffer_size(capture, ring);
	if (pcap_activate(capture) < 0)
		fail(interface, pcap_geterr(capture));
	if (t->kind == 'f') {
		compile(capture, t);
		if (pcap_setfilter(capture, &t->program) != 0)
			fail(t->text, pcap_geterr(capture));
	}
}

/* run_live ends with a signal. */
static void run_live(const char *interface, int ring, char *line)
{
	struct task t;
	struct watch w = {&t, 0};
	struct sigaction action = {.sa_handler = ask};

	parse_task(&t, line);
	open_capture(interface, ring, &t);
	if (sigaction(SIGUSR1, &action, NULL) != 0)
		fail("signal", strerror(errno));
	fprintf(stderr, "listening on %s\n", interface);
	for (;;) {
		int n = pcap_dispatch(capture, -1, got, (u_char *)&w);
		if (n < 0 && n != PCAP_ERROR_BREAK)
			fail(interface, pcap_geterr(capture));
		if (asked) {
			asked = 0;
			answer(&w);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "file") == 0)
		return run_file(argv[2], strtoull(argv[3], NULL, 10));
	if (argc == 5 && strcmp(argv[1], "live") == 0)
		run_live(argv[2], atoi(argv[3]), argv[4]);
	fprintf(stderr, "usage: programs file FILE PACKETS | live INTERFACE RING TASK\n");
	return 2;
}
