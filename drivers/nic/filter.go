package nic

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// setFilter lets the kernel leave out what the device does not want, so that
// it is neither copied nor counted: one direction, bytes beyond snap.
func (d *device) setFilter() error {
	if d.opts.direction == in {
		if err := unix.SetsockoptInt(d.sock, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return openError(d.name, "leave out outgoing packets; direction=in needs Linux 4.20", err)
		}
	}
	program := kernelFilter(d.opts)
	if program == nil {
		return nil
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return openError(d.name, "assemble the kernel filter", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.SetsockoptSockFprog(d.sock, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, prog); err != nil {
		return openError(d.name, "attach the kernel filter", err)
	}
	return nil
}

// kernelFilter returns the program for o, nil when everything is wanted. The
// kernel runs it on the frame without its outer VLAN tag.
func kernelFilter(o options) []bpf.Instruction {
	keep := bpf.RetConstant{Val: uint32(o.snap)}
	switch {
	case o.direction == out:
		return []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtType}, // sll_pkttype
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipFalse: 1},
			keep,
			bpf.RetConstant{Val: 0},
		}
	case o.snap < drivers.MaxSnap:
		return []bpf.Instruction{keep}
	}
	return nil
}
