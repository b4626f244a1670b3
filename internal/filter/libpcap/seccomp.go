//go:build amd64 || arm64

package libpcap

import (
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data, <linux/seccomp.h>. The words of arguments are in the
// machine's byte order, little-endian here.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16
)

// plain are the system calls that the Go runtime and libpcap need and that are harmless
// with any arguments.
var plain = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_LSEEK, unix.SYS_PREAD64,
	unix.SYS_FSTAT, unix.SYS_NEWFSTATAT,
	unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_BRK,
	unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ,
	unix.SYS_GETRANDOM, unix.SYS_RESTART_SYSCALL, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// A guarded system call is allowed if the words that its tests name, ANDed with mask,
// have the wanted values.
type guarded struct {
	number uint32
	tests  []wordTest
}

type wordTest struct {
	word uint32 // offset in struct seccomp_data
	mask uint32
	want uint32
	not  bool // any value except the wanted one
}

func low(arg uint32) uint32  { return offArgs + 8*arg }
func high(arg uint32) uint32 { return offArgs + 8*arg + 4 }

// guards are the system calls that are harmless with the right arguments: reading files,
// memory that is not code, threads, signals to the process itself, reading limits. Flags
// are int, or their upper half is unused, so the lower word is sufficient.
func guards(pid int) []guarded {
	const writing = unix.O_ACCMODE | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND | unix.O_TMPFILE&^unix.O_DIRECTORY
	return []guarded{
		{unix.SYS_OPENAT, []wordTest{{low(2), writing, unix.O_RDONLY, false}}},
		{unix.SYS_MMAP, []wordTest{{low(2), unix.PROT_EXEC, 0, false}}},
		{unix.SYS_MPROTECT, []wordTest{{low(2), unix.PROT_EXEC, 0, false}}},
		{unix.SYS_CLONE, []wordTest{{low(0), unix.CLONE_THREAD, 0, true}}},
		{unix.SYS_TGKILL, []wordTest{{low(0), ^uint32(0), uint32(pid), false}}},
		{unix.SYS_PRLIMIT64, []wordTest{{low(2), ^uint32(0), 0, false}, {high(2), ^uint32(0), 0, false}}},
	}
}

// seccompProgram allows the calls in plain and guards. Everything else fails with EPERM.
func seccompProgram(pid int) ([]bpf.RawInstruction, error) {
	allow := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	deny := func(e unix.Errno) bpf.Instruction {
		return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(e)}
	}
	prog := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		deny(unix.EPERM),
		bpf.LoadAbsolute{Off: offNumber, Size: 4},
	}
	for _, number := range plain {
		prog = append(prog, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: 1}, allow)
	}
	// The flags of clone3 are in memory, where no filter can read them. Without clone3
	// the C library uses clone.
	prog = append(prog, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_CLONE3, SkipTrue: 1}, deny(unix.ENOSYS))
	for _, g := range guards(pid) {
		prog = append(prog, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: g.number, SkipTrue: uint8(4*len(g.tests) + 1)})
		for _, t := range g.tests {
			cond := bpf.JumpEqual
			if t.not {
				cond = bpf.JumpNotEqual
			}
			prog = append(prog,
				bpf.LoadAbsolute{Off: t.word, Size: 4},
				bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: t.mask},
				bpf.JumpIf{Cond: cond, Val: t.want, SkipTrue: 1},
				deny(unix.EPERM))
		}
		prog = append(prog, allow)
	}
	return bpf.Assemble(append(prog, deny(unix.EPERM)))
}

// restrictSyscalls puts every thread of the process permanently under seccompProgram. It
// needs no privilege.
func restrictSyscalls() error {
	raw, err := seccompProgram(os.Getpid())
	if err != nil {
		return fmt.Errorf("assemble seccomp filter: %w", err)
	}
	if err := installSeccomp(raw); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	return nil
}
