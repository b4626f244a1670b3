package capfile

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/leak"
	"gomapi/internal/outfile"
	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
)

func TestMain(m *testing.M) { leak.Main(m) }

const patience = testenv.Patience

// probe is a Writer under test and the end that it reports.
type probe struct {
	*Writer
	t     *testing.T
	ended chan error
}

// begin starts a Writer of f.
func begin(t *testing.T, f *os.File, o Options) *probe {
	t.Helper()
	file, err := outfile.Open(t.Context(), foreigntest.Own(t, f), 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{t: t, ended: make(chan error, 1)}
	o.Ended = func(err error) { p.ended <- err }
	p.Writer = New(file, o)
	p.Start()
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

// balanced checks that each of n packets is in one counter.
func (p *probe) balanced(n uint64) Counts {
	p.t.Helper()
	c := p.Counts()
	if sum := c.Written + c.Waiting + c.Full + c.Failed + c.Closed + c.OtherType + c.Beyond; sum != n {
		p.t.Errorf("the books have %d of %d packets: %+v", sum, n, c)
	}
	return c
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

// frames returns n packets of size bytes. Bytes and times contain their number,
// starting with first.
func frames(first, n, size int) []*pkt.Packet {
	out := make([]*pkt.Packet, n)
	for i := range out {
		link := make([]byte, size)
		for j := range link {
			link[j] = byte((first + i) * (j + 1))
		}
		out[i] = &pkt.Packet{
			TS:   pkt.TS(1700000000+uint64(first+i)/1000, uint64(first+i)%1000*1000),
			Link: link, Wire: uint32(size + i%3), LinkType: pkt.DLTEthernet,
		}
	}
	return out
}

// tell sends to c, which has room for one value, unless it has one.
func tell(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
