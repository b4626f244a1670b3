package libpcap

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"

	"golang.org/x/sys/unix"

	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
)

// ServeIfHelper must be the first statement of main, and of TestMain where
// tests use a filter.Helper. It returns at once unless filter.Helper started
// this process as its child. Then it confines the process, answers requests
// until the Helper closes the pipe, and exits.
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
	// Who sends it to all processes of a service means the daemon.
	signal.Ignore(unix.SIGHUP)
	s := streams{in: os.Stdin, out: os.Stdout}
	err := prepare(&s)
	if err != nil {
		err = mapierr.Wrap(mapierr.PcapOpenDead, "filter compiler cannot be confined", err)
	}
	return filter.Serve(s.in, s.out, err, Compile)
}

func prepare(s *streams) error {
	// First of all, because these may start the program anew.
	if err := shed(); err != nil {
		return err
	}
	if err := closeInherited(); err != nil {
		return fmt.Errorf("close inherited files: %w", err)
	}
	if err := s.move(); err != nil {
		return fmt.Errorf("move standard streams: %w", err)
	}
	return confine(os.Args)
}

// shed gives up other people's files and the privileges. It may start the
// program anew.
func shed() error {
	// Older C libraries load the code for look-ups, which must be mapped then.
	if err := pinNames(); err != nil {
		return err
	}
	if err := restrictFiles(); err != nil {
		return err
	}
	return dropPrivileges()
}

// streams are the two ends of the protocol.
type streams struct{ in, out *os.File }

// move takes the protocol away from the standard streams and leaves /dev/null
// there, for whatever libpcap may print.
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

// closeInherited closes what the daemon, or who started it, left open across
// exec. The Go runtime has open files already, but marked to be closed on exec.
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

// confine takes from the process what compiling does not need. args are those
// that filter.HelperName describes.
func confine(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("%d arguments, 2 are needed", len(args)-1)
	}
	memory, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("memory limit: %w", err)
	}
	cpu, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return fmt.Errorf("limit of processor time: %w", err)
	}
	if err := pinNames(); err != nil {
		return err
	}
	if err := giveWay(); err != nil {
		return err
	}
	if err := limit(memory, cpu); err != nil {
		return err
	}
	return restrictSyscalls()
}
