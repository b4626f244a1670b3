package ring

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// client is the view of a ring in a program that ignores the rules.
type client struct {
	data, page []byte
	conn       *net.UnixConn
}

func hostileClient(t *testing.T, w *Writer) *client {
	t.Helper()
	files := received(t, w)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	maps, err := openMemory(files[0], files[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(maps.unmap)
	conn, err := openSocket(files[2])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{maps.data, maps.page, conn}
}

// asNobody calls f with the rights to files of another user. It needs root.
func asNobody(t *testing.T, f func() error) (err error) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		_, err := unix.SetfsuidRetUid(65534)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

func TestClientCannotChangeTheFiles(t *testing.T) {
	w := packets(t, 0)
	files := received(t, w)
	defer files[2].Close()
	for i, f := range files[:2] {
		fd := int(f.Fd())
		size := int64(headSize + MinCapacity)
		if i == 1 {
			size = pageSize
		}
		for name, try := range map[string]func() error{
			"shrink":   func() error { return unix.Ftruncate(fd, 0) },
			"grow":     func() error { return unix.Ftruncate(fd, 2*size) },
			"add seal": func() error { _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); return err },
		} {
			if try() == nil {
				t.Errorf("file %d: %s was granted", i, name)
			}
		}
		if i == 1 {
			break
		}
		for name, try := range map[string]func() error{
			"write": func() error { _, err := unix.Pwrite(fd, []byte{1}, 0); return err },
			"hole": func() error {
				return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, headSize)
			},
			"map": func() error {
				_, err := unix.Mmap(fd, 0, headSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
				return err
			},
			"hole by mapping": func() error {
				mem, err := unix.Mmap(fd, 0, headSize, unix.PROT_READ, unix.MAP_SHARED)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Munmap(mem)
				return unix.Madvise(mem, unix.MADV_REMOVE)
			},
			"permit": func() error { return asNobody(t, func() error { return unix.Fchmod(fd, 0o666) }) },
			"reopen": func() error {
				return asNobody(t, func() error {
					f, err := os.OpenFile(fmt.Sprint("/proc/self/fd/", fd), os.O_RDWR, 0)
					if err == nil {
						f.Close()
					}
					return err
				})
			},
		} {
			if try() == nil {
				t.Errorf("packets: %s was granted", name)
			}
		}
	}
	for _, f := range files[:2] {
		f.Close()
	}
}

// TestImpossibleReadPositions stores positions that no reader can have. The ring must
// stay full, and continue when the position is valid again.
func TestImpossibleReadPositions(t *testing.T) {
	w := packets(t, MinCapacity)
	c := hostileClient(t, w)
	n := fill(w)
	lost := w.Counts().Full
	page := asPage(c.page)
	for _, read := range []uint64{1, 4, w.pos + 8, w.pos + MinCapacity, 1 << 63, ^uint64(0), ^uint64(7), w.pos - MinCapacity - 8} {
		page.read.Store(read)
		if w.Write(numbered(1, 1000)) {
			t.Fatalf("read position %d of %d made room", read, w.pos)
		}
		lost++
		if got := w.Counts(); got.Full != lost || got.Written != n {
			t.Fatalf("read position %d: counts are %+v", read, got)
		}
	}
	page.read.Store(w.pos)
	if !w.Write(numbered(1, 1000)) {
		t.Error("a right position made no room")
	}
	page.read.Store(0) // back again: old packets, but no damaged ones
	for w.Write(numbered(1, 1000)) {
	}
}

// TestHoleInReaderPage removes the memory of the reader page.
func TestHoleInReaderPage(t *testing.T) {
	w := packets(t, MinCapacity)
	files := received(t, w)
	const hole = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	for n := range uint64(1000) {
		if err := unix.Fallocate(int(files[1].Fd()), hole, 0, pageSize); err != nil {
			t.Fatal(err)
		}
		w.Write(numbered(n, 1000))
		w.Flush()
	}
	if got := w.Counts(); got.Written+got.Full != 1000 || got.Full == 0 {
		t.Errorf("counts are %+v", got)
	}
	for _, f := range files {
		f.Close()
	}
}

// TestScribble lets a client write garbage to its page and socket while the writer writes
// live. Every packet must be counted once.
func TestScribble(t *testing.T) {
	w := packets(t, MinCapacity)
	c := hostileClient(t, w)
	stop := make(chan struct{})
	var scribbler sync.WaitGroup
	scribbler.Go(func() {
		rnd := rand.New(rand.NewPCG(1, 2))
		junk := make([]byte, 100)
		c.conn.SetWriteDeadline(time.Now()) // a full socket must not stop this
		for {
			select {
			case <-stop:
				return
			default:
			}
			asPage(c.page).sleep.Store(rnd.Uint64())
			switch rnd.IntN(4) {
			case 0:
				asPage(c.page).read.Store(rnd.Uint64())
			case 1:
				asPage(c.page).read.Store(asHead(c.data).position.Load() - 8*rnd.Uint64N(10000))
			case 2:
				c.conn.Write(junk)
			default:
				asPage(c.page).read.Add(1)
			}
		}
	})
	const packets = 200_000
	p := numbered(0, 1000)
	for n := range uint64(packets) {
		p.Link = p.Link[:n%1000]
		w.Write(p)
		if n%16 == 0 {
			w.Flush()
		}
	}
	w.End()
	close(stop)
	scribbler.Wait()
	if got := w.Counts(); got.Written+got.Lost() != packets || got.Written == 0 {
		t.Errorf("counts are %+v, want a sum of %d", got, packets)
	}
}

// TestSocketAbuse does everything to the socket that a client can do. The writer must
// neither block nor fail, live or waiting.
func TestSocketAbuse(t *testing.T) {
	for name, abuse := range map[string]func(*client){
		"close":        func(c *client) { c.conn.Close() },
		"shut reading": func(c *client) { c.conn.CloseRead() },
		"shut writing": func(c *client) { c.conn.CloseWrite() },
		"shut both":    func(c *client) { c.conn.CloseRead(); c.conn.CloseWrite() },
		"fill": func(c *client) {
			c.conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
			for {
				if _, err := c.conn.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		},
		"never read": func(c *client) {},
	} {
		t.Run(name, func(t *testing.T) {
			w := packets(t, MinCapacity)
			c := hostileClient(t, w)
			abuse(c)
			for n := range uint64(10_000) { // one byte each, far more than a socket holds
				asPage(c.page).sleep.Store(2*n + 1)
				asPage(c.page).read.Store(asHead(c.data).position.Load())
				w.Write(numbered(n, 60))
				w.Flush()
			}
			fill(w)
			done := make(chan bool, 1)
			go func() { done <- w.WriteWait(numbered(1, 1000)) }()
			spin(t, "the writer to wait or give up", func() bool { return asHead(c.data).want.Load() != 0 || len(done) > 0 })
			w.Stop()
			if <-done {
				t.Error("a full ring took a packet")
			}
			w.End()
		})
	}
}

// TestFloodedWriterStops sends bytes endlessly to a waiting writer.
func TestFloodedWriterStops(t *testing.T) {
	w := packets(t, MinCapacity)
	c := hostileClient(t, w)
	fill(w)
	done := make(chan bool)
	go func() { done <- w.WriteWait(numbered(1, 1000)) }()
	var flood sync.WaitGroup
	flood.Go(func() {
		for {
			if _, err := c.conn.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	})
	spin(t, "the writer to wait", func() bool { return asHead(c.data).want.Load() != 0 })
	w.Stop()
	if <-done {
		t.Error("a full ring took a packet")
	}
	w.Close() // ends the flood
	flood.Wait()
}
