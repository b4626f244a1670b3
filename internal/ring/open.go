package ring

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Open creates the client's side of a ring from the Files of its Writer, in their order,
// as they came from the daemon. It takes ownership of the files, even if it fails.
func Open(files ...*os.File) (_ *Reader, err error) {
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if len(files) != 3 {
		return nil, fmt.Errorf("a packet buffer consists of 3 files, not %d", len(files))
	}
	maps, err := openMemory(files[0], files[1])
	if err != nil {
		return nil, err
	}
	conn, err := openSocket(files[2])
	if err != nil {
		maps.unmap()
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		maps.unmap()
		conn.Close()
		return nil, err
	}
	r := newReader(maps)
	r.conn, r.raw = conn, raw
	return r, nil
}

// newReader starts where the last reader of the same ring stopped.
func newReader(maps mappings) *Reader {
	r := &Reader{head: asHead(maps.data), page: asPage(maps.page), maps: maps, ring: maps.data[headSize:]}
	r.mask = uint64(len(r.ring) - 1)
	r.next = r.page.read.Load()
	r.freed, r.end = r.next, r.next
	r.page.sleep.Add(r.page.sleep.Load() % 2)
	if r.records = r.head.entry.Load() == ofRecords; !r.records {
		r.entry = r.head.entry.Load()
	}
	r.copied = make([]byte, r.entry)
	r.wakeWriter = func(fd uintptr) {
		// If the socket is full, its bytes wake the writer as well. If it is broken,
		// there is no writer.
		_ = unix.Send(int(fd), oneByte, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
	return r
}

// openMemory maps and checks the two files. Both stay valid whatever the daemon does,
// because they cannot shrink.
func openMemory(data, reader *os.File) (m mappings, err error) {
	defer func() {
		if err != nil {
			m.unmap()
			m = mappings{}
		}
	}()
	m.data, err = mapMemory(data, "packet memory", headSize+MinCapacity, headSize+MaxCapacity, unix.PROT_READ)
	if err != nil {
		return m, err
	}
	h, size := asHead(m.data), len(m.data)-headSize
	if got := h.magic.Load(); got != Magic {
		return m, fmt.Errorf("packet memory begins with %#x, not %#x", got, Magic)
	}
	if got := h.capacity.Load(); got != uint64(size) || size&(size-1) != 0 {
		return m, fmt.Errorf("packet memory claims a ring of %d bytes, but has %d", got, size)
	}
	if err := entryError(h.entry.Load()); err != nil {
		return m, err
	}
	m.page, err = mapMemory(reader, "reader page", pageSize, pageSize, unix.PROT_READ|unix.PROT_WRITE)
	return m, err
}

func openSocket(file *os.File) (*net.UnixConn, error) {
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("use the socket of a packet buffer: %w", err)
	}
	sock, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, errors.New("the third file of a packet buffer is not a Unix socket")
	}
	return sock, nil
}

// Close ends reading. A Next under way returns os.ErrClosed. Packets read before stay
// readable as long as the Reader is in use; after that the memory is unmapped. Close may be
// called again.
func (r *Reader) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	r.Counts() // for later calls
	r.page.taken.Store(noReader)
	runtime.AddCleanup(r, mappings.unmap, r.maps)
	return r.conn.Close()
}
