package outfile

import "golang.org/x/sys/unix"

// A relay carries bytes into somebody else's pipe. write(2) to that pipe would
// wait when it is full, unless the shared O_NONBLOCK is set; splice(2) out of a
// pipe of our own takes a flag for the one call.
type relay struct {
	in, out int // ends of our pipe: we write into in
	pending int // bytes in our pipe
}

func newRelay() (*relay, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	return &relay{in: ends[1], out: ends[0]}, nil
}

// write brings bytes of b into the pipe fd and returns how many. Those that got
// no further than our own pipe are not counted: they are the first of b in the
// next call.
func (r *relay) write(fd int, b []byte) (int, error) {
	if r.pending == 0 {
		n, err := unix.Write(r.in, b)
		if err != nil {
			return 0, err
		}
		r.pending = n
	}
	n, err := unix.Splice(r.out, nil, fd, nil, r.pending, unix.SPLICE_F_NONBLOCK)
	if err != nil {
		return 0, err
	}
	r.pending -= int(n)
	return int(n), nil
}

func (r *relay) close() {
	_, _ = unix.Close(r.in), unix.Close(r.out) // nothing is lost that was not lost before
}
