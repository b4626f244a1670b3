package ring

import (
	"fmt"
	"math/bits"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"gomapi/internal/memfile"
)

// A lifetime guards the system resources of a Writer.
type lifetime struct {
	mu sync.Mutex

	files  []*os.File // the client's; nil if closed
	maps   mappings
	closed bool
}

// with calls f unless the writer is closed, and keeps the writer open until f returns.
func (l *lifetime) with(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		f()
	}
}

// New creates a ring of at least size bytes, rounded up to a power of two between
// MinCapacity and MaxCapacity. Memory is allocated as packets fill the ring.
func New(size int) (*Writer, error) { return newWriter(size, 0) }

func newWriter(size, entry int) (_ *Writer, err error) {
	if size < 0 || size > MaxCapacity {
		return nil, fmt.Errorf("a packet buffer of %d bytes exceeds the limit of %d", size, MaxCapacity)
	}
	capacity := MinCapacity
	if size > MinCapacity {
		capacity = 1 << bits.Len(uint(size-1))
	}
	w := &Writer{sock: -1, entry: uint64(entry)}
	defer func() {
		if err != nil {
			w.Close()
		}
	}()
	if err := w.makeFiles(capacity, entry); err != nil {
		return nil, err
	}
	w.head, w.page = asHead(w.life.maps.data), asPage(w.life.maps.page)
	w.mask = uint64(capacity - 1)
	w.head.capacity.Store(uint64(capacity))
	w.head.entry.Store(uint64(entry))
	w.head.magic.Store(Magic)
	return w, nil
}

func (w *Writer) makeFiles(capacity, entry int) error {
	l := &w.life
	size := headSize + capacity
	data, mem, err := memfile.Create("mapi-ring", size, size, unix.PROT_READ|unix.PROT_WRITE, fixedSize)
	if err != nil {
		return err
	}
	l.maps.data, w.ring = mem, mem[headSize:]
	if err := w.back(int(data.Fd()), entry); err != nil {
		data.Close()
		return fmt.Errorf("allocate memory for a packet buffer: %w", err)
	}
	if data, err = memfile.ReadOnly(data); err != nil {
		return err
	}
	l.files = append(l.files, data)
	reader, mem, err := memfile.Create("mapi-ring-reader", pageSize, pageSize, unix.PROT_READ, fixedSize)
	if err != nil {
		return err
	}
	l.files, l.maps.page = append(l.files, reader), mem
	if err := allocate(int(reader.Fd()), pageSize); err != nil {
		return fmt.Errorf("allocate memory for the page of a reader: %w", err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("create the sockets of a packet buffer: %w", err)
	}
	w.sock = pair[0]
	l.files = append(l.files, os.NewFile(uintptr(pair[1]), "mapi-ring-wake"))
	return nil
}

// Files returns the files for the client's Open: packets, reader page, socket. The writer
// owns them. After CloseFiles there are none.
func (w *Writer) Files() []*os.File {
	w.life.mu.Lock()
	defer w.life.mu.Unlock()
	return w.life.files
}

// CloseFiles closes the daemon's copies of the client's files. Call it after the files
// were passed on; the writer notices the end of the client only after that.
func (w *Writer) CloseFiles() {
	w.life.mu.Lock()
	defer w.life.mu.Unlock()
	w.life.closeFiles()
}

func (l *lifetime) closeFiles() {
	for _, f := range l.files {
		f.Close()
	}
	l.files = nil
}

// Close ends the ring and takes its memory back, whatever the client keeps of it. Packets
// that the reader has not taken are lost; it gets ErrGone. Those that it has taken become
// zeros. Close may be called again, and after Leave.
func (w *Writer) Close() error { return w.end(true) }

// Leave ends the ring and leaves its memory to the client: the reader still gets the
// published packets, then ErrGone, or io.EOF after End. It is for the end of the process.
func (w *Writer) Leave() error { return w.end(false) }

func (w *Writer) end(takeBack bool) (err error) {
	l := &w.life
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if w.head != nil {
		w.show()
		if w.state == stateOpen {
			w.head.state.Store(stateClosed)
		}
		if takeBack {
			w.head.magic.Store(0) // before the first byte becomes 0; see layout.go
		}
	}
	if w.sock >= 0 {
		unix.Close(w.sock) // wakes the reader
	}
	l.closeFiles()
	if takeBack {
		err = l.maps.takeBack()
	}
	l.maps.unmap()
	w.head, w.page, w.ring = nil, nil, nil
	return err
}
