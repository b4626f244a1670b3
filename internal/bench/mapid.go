package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gomapi/internal/books"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// mapid is a daemon with clients in this process, whose flows only read counters, or with
// readers, processes that take packets.
type mapid struct {
	cmd             *exec.Cmd
	end             context.CancelFunc
	socket          string
	clients         []*mapi.Client
	flows           []flow
	readers         *programs
	setup, setupCPU time.Duration // until all flows were connected; that of the daemon itself
	memory          uint64        // then or at rest, whichever is more, in bytes
}

// startDaemon starts a mapid and connects to it. It serves pcap files and the interface b
// of the pair, with lines for the interface's section of mapi.conf.
func (b *bench) startDaemon(ctx context.Context, lines string) *mapid {
	dir := must(filepath.Abs(b.dir))
	config := filepath.Join(dir, "mapi.conf")
	text := "[driver]\ndevice=" + testnet.B + "\ndriver=mapinicdrv\n" + lines +
		"\n[format]\nformat=MFF_PCAP\ndriver=mapinicdrv\n"
	check(os.WriteFile(config, []byte(text), 0o644))
	m := &mapid{socket: filepath.Join(dir, "mapid.sock"), readers: &programs{end: func() {}}}
	running, end := context.WithCancel(ctx)
	m.end = end
	m.cmd = b.command(running, b.bin, "--config", config, "--socket", m.socket)
	check(m.cmd.Start())
	client := m.newClient()
	var err error
	poll(patience, time.Millisecond, func() bool {
		_, err = client.Libraries(ctx)
		return !errors.Is(err, mapi.ErrCommInitSocket)
	})
	if err != nil {
		fail("%v does not answer: %w", m.cmd, err)
	}
	return m
}

// stop ends the programs, then the daemon.
func (m *mapid) stop() {
	m.readers.stop()
	for _, c := range m.clients {
		c.Close()
	}
	m.end()
	_ = m.cmd.Wait()
}

// newClient returns a client, which is closed with the daemon.
func (m *mapid) newClient() *mapi.Client {
	m.clients = append(m.clients, &mapi.Client{Socket: m.socket})
	return m.clients[len(m.clients)-1]
}

func (m *mapid) pid() int { return m.cmd.Process.Pid }

// cpu returns the CPU time of the daemon, its children, and the readers.
func (m *mapid) cpu() time.Duration { return cpuOf(treeOf(m.pid())...) + m.readers.cpu() }

// connect has clients make flows of a device, one for each task, with functions: 100 clients
// at once and each so many calls at a time.
func (m *mapid) connect(ctx context.Context, device string, clients, calls int,
	tasks, functions []string) {
	m.flows = make([]flow, len(tasks))
	for len(m.clients) < clients {
		m.newClient()
	}
	each := len(tasks) / clients
	start, before := time.Now(), cpuOf(m.pid())
	parallel(clients, 100, func(i int) {
		parallel(each, calls, func(j int) {
			f := i*each + j
			m.flows[f] = newFlow(ctx, m.clients[i], device, tasks[f], functions...)
		})
	})
	m.setup, m.setupCPU = time.Since(start), cpuOf(m.pid())-before
}

// calls is how many calls a program makes at a time that makes many flows.
const calls = 16

// startFlows starts a mapid with flows of the interface.
func (b *bench) startFlows(ctx context.Context, clients, calls int, tasks, functions []string) *mapid {
	m := b.startDaemon(ctx, "")
	m.connect(ctx, testnet.B, clients, calls, tasks, functions)
	return m
}

// startReaders starts a mapid and a reader for each task.
func (b *bench) startReaders(ctx context.Context, tasks []string) *mapid {
	m := b.startDaemon(ctx, "")
	m.readers = b.startPrograms(ctx, tasks, "/proc/self/exe", readerCommand, m.socket, testnet.B)
	return m
}

// rest waits until all flows of a device are decided together, and the daemon has done with
// what setting them up has left behind: until it uses no CPU time for a moment. It returns m.
func (m *mapid) rest(ctx context.Context, device string) *mapid {
	const moment = 100 * time.Millisecond
	m.memory = memoryOf(m.pid())
	poll(partLimit, 0, func() bool {
		before := m.cpu()
		time.Sleep(moment)
		settling := valueOf(must(m.clients[0].Books(ctx, device)).Notes, books.Unmerged)
		return m.cpu()-before < moment/100 && settling == 0
	})
	m.memory = max(m.memory, memoryOf(m.pid()))
	return m
}

// dealt reports whether the daemon has dealt with all packets. A flow that must get every
// packet tells so without the books, which wake mapid: the last packets may wait in its ring
// for two seconds.
func (m *mapid) dealt(ctx context.Context, all total) bool {
	const soon = 2500 * time.Millisecond
	if len(m.flows) > 0 && all.want[0] == all.arrived && time.Since(all.end) < soon {
		return m.flows[0].count().Packets >= all.arrived
	}
	_, done := m.books(ctx, all.arrived)
	return done
}

// books returns the books of the interface, and whether they have exactly so many packets,
// none under way.
func (m *mapid) books(ctx context.Context, packets uint64) (b mapi.Books, done bool) {
	b = must(m.clients[0].Books(ctx, testnet.B))
	idle := b.Moved == 0 && valueOf(b.Out, books.Waiting) == 0
	return b, idle && b.In == packets && b.Balances()
}

func (m *mapid) results(ctx context.Context, all total) []result {
	var b mapi.Books
	var done bool
	if !poll(patience, step, func() bool { b, done = m.books(ctx, all.arrived); return done }) {
		fail("%d packets have arrived, the books say %+v", all.arrived, b)
	}
	rs := m.readers.results(ctx, all)
	for _, f := range m.flows {
		rs = append(rs, result{got: f.count().Packets})
	}
	for i := range rs {
		rs[i].lost += b.Lost()
	}
	return rs
}

// valueOf adds up the lines of the books that have a name.
func valueOf(lines []books.Line, name string) (sum uint64) {
	for _, l := range lines {
		if l.Name == name {
			sum += l.Value
		}
	}
	return sum
}
