/*
 * Loses its connection while the daemon goes on: the daemon takes back the memory of the
 * program's results and packets. Checks that no call takes zeros for a value. Arguments: a
 * capture file, and its number of packets.
 */
#include <dirent.h>
#include <sys/socket.h>

#include "check.h"

/* Shuts down the connections to the daemon. */
static int hang_up(void)
{
	int n = 0;
	struct dirent *entry;
	DIR *fds = opendir("/proc/self/fd");
	while (fds && (entry = readdir(fds))) {
		int type = 0;
		socklen_t size = sizeof type;
		int fd = atoi(entry->d_name);
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET)
			n += shutdown(fd, SHUT_RDWR) == 0;
	}
	closedir(fds);
	return n;
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return EXIT_FAILURE;
	unsigned long long packets = strtoull(argv[2], NULL, 0);
	int fd = MUST(mapi_create_offline_flow(argv[1], MFF_PCAP));
	int size = MUST(mapi_apply_function(fd, "PKTINFO", 1));
	int count = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	int stats = MUST(mapi_apply_function(fd, "STATS", fd, size, "0"));
	int buffer = MUST(mapi_apply_function(fd, "TO_BUFFER"));
	int bucket = MUST(mapi_apply_function(fd, "BUCKET", fd, count, "0", 0));
	MUST(mapi_connect(fd));
	struct mapipkt *first = mapi_get_next_pkt(fd, buffer), *p;
	CHECK(first && first->caplen > 0);
	mapi_results_t *entry = mapi_read_results(fd, bucket);
	CHECK(entry);
	CHECK(hang_up() == 1);
	unsigned long long taken = 1, ts;
	while ((p = mapi_get_next_pkt(fd, buffer))) {
		CHECK(p->caplen > 0 && p->wlen > 0 && p->ts > 0);
		taken++;
	}
	CHECK(taken <= packets);
	while ((entry = mapi_read_results(fd, bucket))) {
		memcpy(&ts, entry->res, sizeof ts);
		CHECK(ts != 0);
	}
	while (mapi_is_sensor_down(fd) == 0)
		usleep(1000);
	mapi_results_t *r;
	while ((r = mapi_read_results(fd, stats))) /* the last value, until the memory is taken back */
		CHECK(*(unsigned long long *)r->res > 0);
	FAILS(mapi_get_next_pkt(fd, buffer), MCOM_SOCKET_ERROR);
	FAILS(mapi_read_results(fd, bucket), MCOM_SOCKET_ERROR);
	FAILS(mapi_read_results(fd, count), MCOM_SOCKET_ERROR);
	FAILS(mapi_read_results(fd, stats), MCOM_SOCKET_ERROR);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
