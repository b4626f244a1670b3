package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// A life is one program: it runs for some time, in which errors are part of life.
type life struct {
	ctx    context.Context
	client *mapi.Client
	dir    string
	random *rand.Rand
	made   int // flows
}

// roles are what programs do. Each is called again and again.
var roles = []func(*life){count, share, read, replay, write, search, watch, nonsense}

// flow makes a flow with functions, each a name and arguments, and connects it. It returns nil
// if the daemon refuses something.
func (l *life) flow(functions ...[]any) (*mapi.Flow, []*mapi.Function) {
	f := l.create(testnet.B)
	if f == nil {
		return nil, nil
	}
	var made []*mapi.Function
	for _, call := range functions {
		a, err := f.Apply(l.ctx, call[0].(string), call[1:]...)
		if err != nil {
			f.Close(l.ctx)
			return nil, nil
		}
		made = append(made, a)
	}
	if f.Connect(l.ctx) != nil {
		return nil, nil
	}
	return f, made
}

// create makes a flow, nil if the daemon refuses.
func (l *life) create(device string) *mapi.Flow {
	f, err := l.client.CreateFlow(l.ctx, device)
	if err != nil {
		return nil
	}
	l.made++
	return f
}

func call(f ...any) []any { return f }

// filter is one of many filters.
func (l *life) filter() string {
	return fmt.Sprintf([]string{"udp port %d", "host 10.0.%d.1", "tcp and portrange %d-65535", "not port %d"}[l.random.IntN(4)], l.random.IntN(250))
}

func (l *life) pause(most time.Duration) { sleep(l.ctx, rand.N(most)) }

// count makes many flows that count.
func count(l *life) {
	for range 1 + l.random.IntN(300) {
		_, f := l.flow(call("BPF_FILTER", l.filter()), call("PKT_COUNTER"), call("BYTE_COUNTER"))
		if f != nil && l.random.IntN(10) == 0 {
			_, _ = f[1].Int64()
		}
	}
	l.pause(2 * time.Second)
}

// share makes flows that all are equal.
func share(l *life) {
	for range 50 {
		l.flow(call("BPF_FILTER", "udp"), call("PKT_COUNTER"), call("STR_SEARCH", "needle", 0, 0), call("PKT_COUNTER"))
	}
	l.pause(time.Second)
}

// read takes packets for some time.
func read(l *life) {
	f, made := l.flow(call("SAMPLE", 10, mapi.SamplePeriodic), call("TO_BUFFER"))
	if f == nil {
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, rand.N(3*time.Second))
	defer cancel()
	for {
		if _, err := made[1].Next(ctx); err != nil {
			break
		}
	}
	f.Close(l.ctx)
}

// replay reads a capture file of its own.
func replay(l *life) {
	name := filepath.Join(l.dir, fmt.Sprintf("%d.pcap", os.Getpid()))
	out, err := os.Create(name)
	if err != nil {
		return
	}
	_, err = tracegen.Write(out, 2000+l.random.IntN(20_000), l.random.Uint64())
	out.Close()
	defer os.Remove(name)
	d, err2 := l.client.CreateOfflineDevice(l.ctx, name, mapi.FormatPCAP)
	if err != nil || err2 != nil {
		return
	}
	if f := l.create(d.Name()); f != nil {
		_, _ = f.Apply(l.ctx, "BPF_FILTER", l.filter())
		_, _ = f.Apply(l.ctx, "PKT_COUNTER")
		_ = f.Connect(l.ctx)
	}
	_ = d.Start(l.ctx)
	if l.random.IntN(3) > 0 {
		_ = d.Wait(l.ctx)
	}
	_ = d.Delete(l.ctx)
}

// write writes packets to a file, to nowhere, and to a pipe that nobody reads.
func write(l *life) {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	defer w.Close()
	name := filepath.Join(l.dir, fmt.Sprintf("out-%d.pcap", os.Getpid()))
	defer os.Remove(name)
	for _, path := range []string{name, os.DevNull, fmt.Sprintf("/proc/self/fd/%d", w.Fd())} {
		l.flow(call("SAMPLE", 20, mapi.SamplePeriodic), call("TO_FILE", mapi.FormatPCAP, path, 0))
	}
	l.pause(2 * time.Second)
}

// search looks for very many strings.
func search(l *life) {
	for range 100 {
		l.flow(call("STR_SEARCH", fmt.Sprintf("needle %d||%x", l.random.IntN(1e6), l.random.Uint64()), 0, 0), call("PKT_COUNTER"))
	}
	l.pause(time.Second)
}

// watch refers to other functions.
func watch(l *life) {
	f := l.create(testnet.B)
	if f == nil {
		return
	}
	n, err := f.Apply(l.ctx, "PKT_COUNTER")
	if err != nil {
		return
	}
	_, _ = f.Apply(l.ctx, "BUCKET", n, "100ms", 0)
	_, _ = f.Apply(l.ctx, "THRESHOLD", mapi.ThresholdUint64+mapi.ThresholdWindow, n, uint64(5), mapi.BoundaryAbove, 100_000, 4096, 0)
	_, _ = f.Apply(l.ctx, "DIST", n, "0", "16384", "1")
	_ = f.Connect(l.ctx)
	l.pause(2 * time.Second)
}

// nonsense asks for what must be refused.
func nonsense(l *life) {
	f := l.create(testnet.B)
	if f == nil {
		return
	}
	for _, bad := range [][]any{
		call("BPF_FILTER", "host "+strings.Repeat("(", 3000)), call("BPF_FILTER", strings.Repeat("host 1.2.3.4 or ", 1500)+"udp"),
		call("STR_SEARCH", strings.Repeat("a||", 9000)+"b", 0, 0), call("NO_SUCH"), call("PKT_COUNTER", 1, 2, 3),
		call("TO_FILE", 99, os.DevNull, 0), call("DIST", 1, "x", "y", "z"), call("SAMPLE", -1, 77),
	} {
		_, _ = f.Apply(l.ctx, bad[0].(string), bad[1:]...)
	}
	if d, err := l.client.CreateOfflineDevice(l.ctx, "/proc/self/exe", mapi.FormatPCAP); err == nil {
		_ = d.Delete(l.ctx)
	}
	_, _ = io.WriteString(io.Discard, f.Device())
}
