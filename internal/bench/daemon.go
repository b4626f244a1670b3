package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"gomapi/internal/books"
	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// daemon is a mapid with one client.
type daemon struct {
	cmd    *exec.Cmd
	socket string
	client *mapi.Client
}

// patience is how long a subject may take for what it does at once otherwise.
const patience = 10 * time.Second

// startDaemon starts a mapid and connects to it. It serves pcap files and the interface b
// of the pair, with lines for the interface's section of mapi.conf.
func (b *bench) startDaemon(ctx context.Context, lines string) *daemon {
	dir := must(filepath.Abs(b.dir))
	config := filepath.Join(dir, "mapi.conf")
	text := "[driver]\ndevice=" + testnet.B + "\ndriver=mapinicdrv\n" + lines + "\n[format]\nformat=MFF_PCAP\ndriver=mapinicdrv\n"
	check(os.WriteFile(config, []byte(text), 0o644))
	d := &daemon{socket: filepath.Join(dir, "mapid.sock")}
	d.cmd = b.command(ctx, b.bin, "--config", config, "--socket", d.socket)
	d.client = d.newClient()
	check(d.cmd.Start())
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, err := d.client.Libraries(ctx)
		if err == nil {
			return d
		}
		if !errors.Is(err, mapi.ErrCommInitSocket) || ctx.Err() != nil {
			fail("%v does not answer: %w", d.cmd, err)
		}
		time.Sleep(time.Millisecond)
	}
}

func (d *daemon) newClient() *mapi.Client { return &mapi.Client{Socket: d.socket} }

func (d *daemon) pid() int { return d.cmd.Process.Pid }

// cpu returns the CPU time of the daemon and its children.
func (d *daemon) cpu() time.Duration { return cpuOf(treeOf(d.pid())...) }

func (d *daemon) stop() {
	d.client.Close()
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(patience, func() { _ = d.cmd.Process.Kill() })
	defer kill.Stop()
	_ = d.cmd.Wait()
}

// awaitRest waits until all flows of a device are decided together, and the daemon has
// done with what setting them up has left behind: until it uses no CPU time for a moment.
func (d *daemon) awaitRest(ctx context.Context, device string) {
	const moment = 100 * time.Millisecond
	for {
		before := d.cpu()
		time.Sleep(moment)
		if d.cpu()-before < moment/100 && valueOf(must(d.client.Books(ctx, device)).Notes, books.Unmerged) == 0 {
			return
		}
	}
}

// awaitPackets waits until the daemon has dealt with all of so many packets of the
// interface and returns how many it has lost, or errSlow.
func (d *daemon) awaitPackets(ctx context.Context, packets uint64) (lost uint64, err error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		b := must(d.client.Books(ctx, testnet.B))
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

// A call applies a function: its name, and its arguments.
type call []any

// counters are the calls of a flow that counts what the first ones let pass.
func counters(first ...call) []call { return append(first, call{"PKT_COUNTER"}, call{"BYTE_COUNTER"}) }

func filter(expression string) call { return call{"BPF_FILTER", expression} }

// A flow has functions that are read.
type flow struct {
	*mapi.Flow
	packets, bytes, buffer *mapi.Function
}

// newFlow makes a flow and connects it.
func newFlow(ctx context.Context, c *mapi.Client, device string, calls ...call) (f flow) {
	f.Flow = must(c.CreateFlow(ctx, device))
	for _, call := range calls {
		name := call[0].(string)
		fn, err := f.Apply(ctx, name, call[1:]...)
		if err != nil {
			fail("%v: %w", call, err)
		}
		switch name {
		case "PKT_COUNTER":
			f.packets = fn
		case "BYTE_COUNTER":
			f.bytes = fn
		case "TO_BUFFER":
			f.buffer = fn
		}
	}
	check(f.Connect(ctx))
	return f
}

// concurrency is how many calls a program makes at a time, where nothing else is said.
const concurrency = 16

// newFlows makes so many flows of one client.
func newFlows(ctx context.Context, c *mapi.Client, device string, n, concurrency int, calls func(i int) []call) []flow {
	flows := make([]flow, n)
	parallel(n, min(n, concurrency), func(i int) { flows[i] = newFlow(ctx, c, device, calls(i)...) })
	return flows
}

// countsOf reads what flows have counted.
func countsOf(flows []flow) []tracegen.Count {
	all := make([]tracegen.Count, len(flows))
	for i, f := range flows {
		all[i].Packets = must(f.packets.Uint64())
		if f.bytes != nil {
			all[i].Bytes = must(f.bytes.Uint64())
		}
	}
	return all
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
