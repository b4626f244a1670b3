package testnet

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// progLoad is the start of union bpf_attr for BPF_PROG_LOAD (linux/bpf.h).
type progLoad struct {
	kind         uint32
	count        uint32
	instructions *instruction
	license      *byte
	_            [96]byte // log, flags and so on: unused
}

// progRun is union bpf_attr for BPF_PROG_RUN.
type progRun struct {
	prog   uint32
	_      uint32 // retval
	sizeIn uint32
	_      uint32 // size of the output
	dataIn *byte
	_      uint64 // output
	repeat uint32
	_      uint32 // duration
	_      [2]uint32
	_      [2]uint64 // context
	flags  uint32
	_      uint32 // CPU
	batch  uint32
	_      uint32
}

func loadXDP(program []instruction) (int, error) {
	license := []byte("Apache-2.0\x00")
	attr := progLoad{
		kind: unix.BPF_PROG_TYPE_XDP, count: uint32(len(program)),
		instructions: unsafe.SliceData(program), license: unsafe.SliceData(license),
	}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(&attr)
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}

// runXDP runs the program n times on copies of frame and applies its verdicts.
func runXDP(prog int, frame []byte, n int) error {
	attr := progRun{
		prog: uint32(prog), sizeIn: uint32(len(frame)), dataIn: unsafe.SliceData(frame),
		repeat: uint32(n), flags: unix.BPF_F_TEST_XDP_LIVE_FRAMES, batch: MaxBatch,
	}
	_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_RUN, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(&attr)
	if errno != 0 {
		return errno
	}
	return nil
}

// ethtoolValue is struct ethtool_value (linux/ethtool.h), ethtoolRequest struct
// ifreq (linux/if.h) with a pointer to it.
type ethtoolValue struct{ cmd, data uint32 }

type ethtoolRequest struct {
	name [unix.IFNAMSIZ]byte
	data *ethtoolValue
	_    [16]byte
}

func setGRO(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req := ethtoolRequest{data: &ethtoolValue{cmd: unix.ETHTOOL_SGRO, data: 1}}
	copy(req.name[:unix.IFNAMSIZ-1], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req)))
	if errno != 0 {
		return errno
	}
	return nil
}
