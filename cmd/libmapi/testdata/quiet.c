/*
 * Reads a counter many times while any system call except exit_group kills the program
 * (seccomp(2)). Argument: a device.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "check.h"

static void no_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* number of the system call */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog filter = {.len = 4, .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
		exit(EXIT_FAILURE);
}

int main(int argc, char *argv[])
{
	if (argc != 2)
		return EXIT_FAILURE;
	int fd = MUST(mapi_create_flow(argv[1]));
	int fid = MUST(mapi_apply_function(fd, "PKT_COUNTER"));
	MUST(mapi_connect(fd));
	mapi_read_results(fd, fid);
	no_calls();
	unsigned long long sum = 0;
	for (int i = 0; i < 1000000; i++)
		sum += *(unsigned long long *)mapi_read_results(fd, fid)->res;
	syscall(SYS_exit_group, sum == ~0ull);
	return EXIT_FAILURE;
}
