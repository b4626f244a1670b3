package nic

import (
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// setFilter makes the kernel drop what the device does not want before it
// copies or counts the packets: one direction, bytes beyond snap.
func (s *socket) setFilter(o options) error {
	if s.direction(o) == in {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return openError(s.name, "leave out outgoing packets; direction=in needs Linux 4.20", err)
		}
	}
	program := kernelFilter(s.direction(o), s.index == 0, o.snap)
	if program == nil {
		return nil
	}
	if err := s.attachFilter(program); err != nil {
		return openError(s.name, "attach the kernel filter", err)
	}
	return nil
}

// attachFilter attaches a program that the kernel runs on every packet from now
// on.
func (s *socket) attachFilter(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("assemble: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	return os.NewSyscallError("setsockopt SO_ATTACH_FILTER",
		unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, prog))
}

// direction returns the direction that o selects for this interface.
func (s *socket) direction(o options) direction {
	if o.direction == automatic && s.link.twice {
		return in
	}
	return o.direction
}

// kernelFilter returns the program, nil if all packets are wanted. The kernel
// runs it on the frame without its outer VLAN tag.
func kernelFilter(d direction, all bool, snap int) []bpf.Instruction {
	keep := bpf.RetConstant{Val: uint32(snap)}
	drop := bpf.RetConstant{Val: 0}
	switch {
	case d == out:
		return []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtType}, // sll_pkttype
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipFalse: 1},
			keep,
			drop,
		}
	case d == automatic && all: // each packet of loopback only once
		return []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtType},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.PACKET_OUTGOING, SkipTrue: 3},
			bpf.LoadExtension{Num: bpf.ExtLinkLayerType}, // sll_hatype
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.ARPHRD_LOOPBACK, SkipTrue: 1},
			drop,
			keep,
		}
	case snap < drivers.MaxSnap:
		return []bpf.Instruction{keep}
	}
	return nil
}
