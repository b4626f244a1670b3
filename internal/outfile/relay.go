package outfile

import "golang.org/x/sys/unix"

// A relay writes to a pipe of another process. write(2) to that pipe would
// block when it is full, unless the shared O_NONBLOCK is set. splice(2) from a
// pipe of our own has a per-call flag instead.
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

// write writes bytes of b to the pipe fd and returns how many. Bytes that only
// reached our own pipe are not counted: they are the first of b in the next
// call.
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
	_, _ = unix.Close(r.in), unix.Close(r.out) // any pending bytes were not counted as written
}
