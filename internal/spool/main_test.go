package spool

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/foreign"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/leak"
	"gomapi/internal/outfile"
	"gomapi/internal/testenv"
)

func TestMain(m *testing.M) { leak.Main(m) }

const patience = testenv.Patience

const head = "head\n"

// probe is a Writer under test and the end that it reports.
type probe struct {
	*Writer
	t     *testing.T
	ended chan error
}

// begin starts a Writer of f.
func begin(t *testing.T, f *os.File, o Options) *probe {
	t.Helper()
	return beginOwn(t, foreigntest.Own(t, f), o)
}

// beginOwn starts a Writer of the file of a client.
func beginOwn(t *testing.T, f *foreign.File, o Options) *probe {
	t.Helper()
	file, err := outfile.Open(t.Context(), f, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{t: t, ended: make(chan error, 1)}
	o.Ended = func(err error) { p.ended <- err }
	p.Writer = New(file, o)
	p.Start([]byte(head))
	t.Cleanup(func() { p.Close() })
	return p
}

// end waits for the reported end.
func (p *probe) end() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(patience):
		p.t.Fatal("the end of writing is not reported")
		return nil
	}
}

// addAll adds records in two parts.
func (p *probe) addAll(records [][]byte) {
	for _, r := range records {
		p.Add(r[:len(r)/3], r[len(r)/3:])
	}
	p.Flush()
}

// balanced checks that each of n records is in one counter.
func (p *probe) balanced(n uint64) Counts {
	p.t.Helper()
	c := p.Counts()
	if sum := c.Written + c.Waiting + c.Full + c.Failed + c.Closed; sum != n {
		p.t.Errorf("the books have %d of %d records: %+v", sum, n, c)
	}
	return c
}

// numbered returns n different records of size bytes.
func numbered(n, size int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = make([]byte, size)
		for j := range out[i] {
			out[i][j] = byte(size + i*(j+1))
		}
	}
	return out
}

// pipe creates a blocking pipe.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(fds[0]), "reader"), os.NewFile(uintptr(fds[1]), "writer")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// fill fills a pipe.
func fill(t *testing.T, f *os.File) {
	t.Helper()
	fd := int(f.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{4096, 1} {
		var err error
		for err == nil {
			_, err = unix.Write(fd, make([]byte, size))
		}
		if !errors.Is(err, unix.EAGAIN) {
			t.Fatal(err)
		}
	}
}
