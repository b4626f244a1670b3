package libpcap

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"

	"golang.org/x/sys/unix"

	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
)

// ServeIfHelper must be the first statement of main, and of TestMain if tests use a
// filter.Helper. It returns at once unless filter.Helper started this process as its
// child. In a child it confines the process, answers requests until the Helper closes the
// pipe, and exits.
func ServeIfHelper() {
	if os.Args[0] != filter.HelperName {
		return
	}
	if err := serve(); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func serve() error {
	// If SIGHUP is sent to all processes of a service, it is meant for the daemon.
	signal.Ignore(unix.SIGHUP)
	s := streams{in: os.Stdin, out: os.Stdout}
	err := prepare(&s)
	if err != nil {
		err = mapierr.Wrap(mapierr.PcapOpenDead, "the filter compiler cannot be confined", err)
	}
	return filter.Serve(s.in, s.out, err, Compile)
}

func prepare(s *streams) error {
	return inOrder(
		step{"shed privileges", shed}, // first, because it may execute the program again
		step{"close inherited files", closeInherited},
		step{"move standard streams", s.move},
		step{"confine", func() error { return confine(os.Args) }})
}

// shed restricts files and gives up privileges. It may execute the program again.
func shed() error {
	// Older C libraries load the code for look-ups here, and it must be mapped before
	// files are restricted.
	return inOrder(step{"names", pinNames}, step{"files", restrictFiles}, step{"privileges", dropPrivileges})
}

// streams are the two ends of the protocol.
type streams struct{ in, out *os.File }

// move moves the protocol away from the standard streams and replaces these by /dev/null,
// because libpcap may print to them.
func (s *streams) move() error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(null)
	in, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	out, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	s.in, s.out = os.NewFile(uintptr(in), "requests"), os.NewFile(uintptr(out), "answers")
	for fd := range 3 {
		if err := unix.Dup3(null, fd, 0); err != nil {
			return err
		}
	}
	return nil
}

// closeInherited closes files that the daemon, or the program that started it, left open
// across exec. Files that the Go runtime has opened are closed on exec anyway.
func closeInherited() error {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, n := range names {
		fd, err := strconv.Atoi(n.Name())
		if err != nil || fd <= 2 {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
	return nil
}

// confine takes away all rights that compiling does not need. filter.HelperName describes
// args.
func confine(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("%d arguments, 2 are needed", len(args)-1)
	}
	memory, errMemory := strconv.ParseUint(args[1], 10, 64)
	cpu, errCPU := strconv.ParseUint(args[2], 10, 64)
	return inOrder(
		step{"limits", func() error { return errors.Join(errMemory, errCPU) }},
		step{"names", pinNames},
		step{"priority", giveWay},
		step{"limits", func() error { return limit(memory, cpu) }},
		step{"system calls", restrictSyscalls})
}
