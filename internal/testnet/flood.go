package testnet

import (
	"fmt"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Flood sends one frame n times at the kernel's maximum rate: 1 million per
// second or more. An XDP program runs on the frame and redirects it to the
// interface, without a socket buffer (BPF_PROG_RUN with live frames,
// Documentation/bpf/bpf_prog_run.rst). The other end accepts such frames only
// with GRO on, see SetGRO. Each call has an overhead of 25 ms, so floods should
// be long. Flood must be called inside the namespace.
func (s *Sender) Flood(frame []byte, n int) error {
	prog, err := loadXDP(redirect(s.ifx))
	if err != nil {
		return fmt.Errorf("load the program that sends: %w", err)
	}
	defer unix.Close(prog)
	// A signal would end the run early.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, allSignals(), &before); err != nil {
		return fmt.Errorf("block signals: %w", err)
	}
	err = runXDP(prog, frame, n)
	if e := unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil); err == nil && e != nil {
		return fmt.Errorf("unblock signals: %w", e)
	}
	if err != nil {
		return fmt.Errorf("send %d frames of %d bytes: %w", n, len(frame), err)
	}
	return nil
}

// SetGRO turns on generic receive offload of an interface. A veth end needs it
// to receive frames from XDP. It does not merge frames without a connection.
func (ns *NS) SetGRO(name string) {
	ns.t.Helper()
	if err := setGRO(name); err != nil {
		ns.t.Fatalf("turn GRO of %s on: %v", name, err)
	}
	ns.Await(name, func(a *netlink.LinkAttrs) bool { return a.OperState == netlink.OperUp })
}

func allSignals() *unix.Sigset_t {
	var set unix.Sigset_t
	for i := range set.Val {
		set.Val[i] = ^set.Val[i]
	}
	return &set
}

// instruction is struct bpf_insn (linux/bpf.h).
type instruction struct {
	code byte
	regs byte  // destination in the low half, source in the high
	_    int16 // offset: unused here
	imm  int32
}

// redirect is the program "return bpf_redirect(index, 0)".
func redirect(index int) []instruction {
	const bpfRedirect = 23 // enum bpf_func_id
	return []instruction{
		{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K, regs: 1, imm: int32(index)},
		{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K, regs: 2},
		{code: unix.BPF_JMP | unix.BPF_CALL, imm: bpfRedirect},
		{code: unix.BPF_JMP | unix.BPF_EXIT},
	}
}
