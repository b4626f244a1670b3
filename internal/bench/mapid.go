package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"gomapi/internal/books"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// clients are a number of programs with as many flows each.
type clients struct{ n, flows int }

// mapid is a daemon with one client, and with members of one kind where packets come from
// an interface: flows of further clients in this process, which only read counters, or
// readers, processes that take packets.
type mapid struct {
	cmd             *exec.Cmd
	socket          string
	client          *mapi.Client
	clients         []*mapi.Client
	flows           []flow
	setup, setupCPU time.Duration // until all flows are connected; that of the daemon itself
	memory          uint64        // when it is at rest then, in bytes
	readers         []*dialog
	pids            []int // theirs
	said            []result
}

// patience is how long a subject may take for what it does at once otherwise.
const patience = 10 * time.Second

// startDaemon starts a mapid and connects to it. It serves pcap files and the interface b
// of the pair, with lines for the interface's section of mapi.conf.
func (b *bench) startDaemon(ctx context.Context, lines string) *mapid {
	dir := must(filepath.Abs(b.dir))
	config := filepath.Join(dir, "mapi.conf")
	text := "[driver]\ndevice=" + testnet.B + "\ndriver=mapinicdrv\n" + lines + "\n[format]\nformat=MFF_PCAP\ndriver=mapinicdrv\n"
	check(os.WriteFile(config, []byte(text), 0o644))
	m := &mapid{socket: filepath.Join(dir, "mapid.sock")}
	m.cmd = b.command(ctx, b.bin, "--config", config, "--socket", m.socket)
	m.client = m.newClient()
	check(m.cmd.Start())
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, err := m.client.Libraries(ctx)
		if err == nil {
			return m
		}
		if !errors.Is(err, mapi.ErrCommInitSocket) || ctx.Err() != nil {
			fail("%v does not answer: %w", m.cmd, err)
		}
		time.Sleep(time.Millisecond)
	}
}

func (m *mapid) newClient() *mapi.Client { return &mapi.Client{Socket: m.socket} }

func (m *mapid) pid() int { return m.cmd.Process.Pid }

// cpu returns the CPU time of the daemon, its children, and the readers.
func (m *mapid) cpu() time.Duration { return cpuOf(append(treeOf(m.pid()), m.pids...)...) }

// stop ends the programs, then the daemon.
func (m *mapid) stop() {
	parallel(len(m.readers), len(m.readers), func(i int) { m.readers[i].stop() })
	for _, c := range append(m.clients, m.client) {
		c.Close()
	}
	_ = m.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(patience, func() { _ = m.cmd.Process.Kill() })
	defer kill.Stop()
	_ = m.cmd.Wait()
}

// awaitRest waits until all flows of a device are decided together, and the daemon has
// done with what setting them up has left behind: until it uses no CPU time for a moment.
func (m *mapid) awaitRest(ctx context.Context, device string) {
	const moment = 100 * time.Millisecond
	for {
		before := m.cpu()
		time.Sleep(moment)
		if m.cpu()-before < moment/100 && valueOf(must(m.client.Books(ctx, device)).Notes, books.Unmerged) == 0 {
			return
		}
	}
}

// awaitPackets waits until the daemon has dealt with all of so many packets of the
// interface and returns how many it has lost, or errSlow.
func (m *mapid) awaitPackets(ctx context.Context, packets uint64) (lost uint64, err error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		b := must(m.client.Books(ctx, testnet.B))
		idle := b.Moved == 0 && valueOf(b.Out, books.Waiting) == 0
		switch {
		case idle && b.In == packets && b.Balances():
			return b.Lost(), nil
		case time.Now().Before(deadline):
		case !idle:
			return 0, errSlow
		default:
			fail("%d packets have arrived, the books say %+v", packets, b)
		}
	}
}

// startFlows starts a mapid with clients that make their flows, 100 clients at once and
// each so many calls at a time.
func (b *bench) startFlows(ctx context.Context, c clients, concurrency int, calls func(i int) []call) *mapid {
	m := b.startDaemon(ctx, "")
	m.flows = make([]flow, c.n*c.flows)
	for range c.n {
		m.clients = append(m.clients, m.newClient())
	}
	start, before := time.Now(), cpuOf(m.pid())
	parallel(c.n, min(c.n, 100), func(i int) {
		first := i * c.flows
		copy(m.flows[first:], newFlows(ctx, m.clients[i], testnet.B, c.flows, concurrency, func(j int) []call { return calls(first + j) }))
	})
	m.setup, m.setupCPU = time.Since(start), cpuOf(m.pid())-before
	return m
}

// rested is m when its flows are decided together and setting them up has left nothing behind.
func (m *mapid) rested(ctx context.Context) *mapid {
	m.awaitRest(ctx, testnet.B)
	m.memory = memoryOf(m.pid())
	return m
}

// startReaders starts a mapid and a reader for each task.
func (b *bench) startReaders(ctx context.Context, n int, task func(i int) string) *mapid {
	m := b.startDaemon(ctx, "")
	for i := range n {
		r := b.startDialog(ctx, nil, "/proc/self/exe", readerCommand, m.socket, testnet.B, task(i))
		m.readers, m.pids = append(m.readers, r), append(m.pids, r.cmd.Process.Pid)
	}
	for _, r := range m.readers {
		r.awaitReady()
	}
	return m.rested(ctx)
}

// settle waits until the books have all packets and the readers what they must, or a long
// time.
func (m *mapid) settle(ctx context.Context, all total) error {
	if m.countedAll(all) {
		return nil
	}
	lost, err := m.awaitPackets(ctx, all.arrived)
	if err != nil || len(m.readers) == 0 {
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		m.said = m.said[:0]
		for _, r := range m.readers {
			var got, full uint64 // lost because its buffer was full
			must(fmt.Sscan(r.ask(), &got, &full))
			m.said = append(m.said, result{lost: lost + full, got: got})
		}
		if compareResults(m.said, all) == nil {
			break
		}
	}
	return nil
}

// countedAll waits for the first flow, when that must get every packet: asking for the
// books wakes mapid. The last packets may wait in its ring for two seconds.
func (m *mapid) countedAll(all total) bool {
	const still = 2500 * time.Millisecond
	var last uint64
	for since := time.Now(); m.flows != nil && all.want[0] == all.arrived && time.Since(since) < still; time.Sleep(10 * time.Millisecond) {
		n := must(m.flows[0].packets.Uint64())
		if n >= all.arrived {
			return true
		}
		if n != last {
			last, since = n, time.Now()
		}
	}
	return false
}

// resultLag is by how much the results of very many flows may be behind the books.
const resultLag = 300 * time.Millisecond

func (m *mapid) results(ctx context.Context, all total) []result {
	if m.readers != nil {
		return m.said
	}
	lost := must(m.awaitPackets(ctx, all.arrived))
	if len(m.flows) > 1 {
		time.Sleep(resultLag)
	}
	m.said = m.said[:0]
	for _, c := range countsOf(m.flows) {
		m.said = append(m.said, result{lost: lost, got: c.Packets})
	}
	return m.said
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
