package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// changes measures closing and making flows while packets go: many mixed filters are
// connected, packets of the capture file are sent again and again, and one program
// closes and makes flows all the time.
func (b *bench) changes(ctx context.Context, ns *testnet.NS) (string, error) {
	progress("changing flows under way, beside %d", b.mixedFilters)
	// A new pair: the old one may have GRO on, which merges segments of TCP.
	ns.Delete(testnet.B)
	ns.AddPair()
	r := road{ns: ns, sender: ns.Sender(testnet.A)}
	filters := tracegen.Filters(b.mixedFilters+4096, mixedSeed)
	kept, spare := filters[:b.mixedFilters], filters[b.mixedFilters:]
	c, err := b.startMembers(ctx, 1, filterCalls(kept))
	if err != nil {
		return "", err
	}
	defer c.stop()
	_, part, err := b.offline(ctx, replayPackets, filterTasks(kept))
	if err != nil {
		return "", err
	}
	ch := newChanger(c.daemon.newClient(), spare)
	defer ch.client.Close()
	sent, err := ch.during(ctx, func() (sending, error) { return r.replay(b.trace, changeRate, b.changeLength) })
	if err != nil {
		return "", err
	}
	lost, err := c.daemon.dealtWith(ctx, sent.arrived, time.Now().Add(b.limit))
	if err == nil {
		err = c.compareLoops(part, sent, lost)
	}
	if err != nil {
		return "", err
	}
	return ch.section(sent, lost, b), nil
}

const (
	replayPackets = 5000   // of the file, which are sent again and again
	changeRate    = 30_000 // packets a second
	changing      = 100    // flows that are there to be closed
)

// replay sends the first packets of a capture file again and again, whole loops only.
func (r road) replay(path string, perSecond float64, length time.Duration) (sending, error) {
	var frames [][]byte
	total := 0
	err := eachFrame(path, replayPackets, func(frame []byte) bool {
		frames = append(frames, bytes.Clone(frame))
		total += len(frame)
		return true
	})
	if err != nil {
		return sending{}, err
	}
	mean := total / len(frames)
	loops := max(1, int(perSecond*length.Seconds())/len(frames))
	return r.stream(stream{size: mean, mbit: perSecond * float64(mean) * 8 / 1e6, frames: frames, most: loops * len(frames), length: 10 * length})
}

// compareLoops compares what flows have counted with what libpcap has in one loop.
func (c *memberCrew) compareLoops(part []tracegen.Count, s sending, lost uint64) error {
	counts, err := c.counted()
	if err != nil {
		return err
	}
	lost += s.sent - s.arrived
	loops := s.sent / replayPackets
	for i, n := range counts {
		if want := part[i].Packets * loops; n.Packets > want || n.Packets+lost < want {
			return fmt.Errorf("flow %d counts %d packets, want %d; %d are lost", i+1, n.Packets, want, lost)
		}
	}
	return nil
}

// A changer closes and makes flows.
type changer struct {
	client        *mapi.Client
	filters       []string
	random        *rand.Rand
	flows         []*mapi.Flow
	makes, closes []time.Duration
}

func newChanger(c *mapi.Client, filters []string) *changer {
	return &changer{client: c, filters: filters, random: rand.New(rand.NewPCG(11, 13))}
}

// during changes flows while packets are sent.
func (c *changer) during(ctx context.Context, send func() (sending, error)) (sending, error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- c.run(ctx) }() // ends with ctx
	sent, err := send()
	cancel()
	return sent, errors.Join(err, <-done)
}

// run changes flows until ctx ends.
func (c *changer) run(ctx context.Context) error {
	for ctx.Err() == nil {
		start := time.Now()
		m, err := join(context.WithoutCancel(ctx), c.client, testnet.B, filterCall(c.filters[c.random.IntN(len(c.filters))]))
		if err != nil {
			return err
		}
		c.makes = append(c.makes, time.Since(start))
		c.flows = append(c.flows, m.flow)
		if len(c.flows) < changing {
			continue
		}
		i := c.random.IntN(len(c.flows))
		start = time.Now()
		if err := c.flows[i].Close(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		c.closes = append(c.closes, time.Since(start))
		c.flows = slices.Delete(c.flows, i, i+1)
	}
	return nil
}

func (c *changer) section(s sending, lost uint64, b *bench) string {
	t := newTable("", "times", "half within, ms", "99 % within", "all within")
	for _, kind := range []struct {
		name  string
		times []time.Duration
	}{{"make and connect", c.makes}, {"close", c.closes}} {
		if len(kind.times) == 0 {
			t.row(kind.name, 0, "", "", "")
			continue
		}
		slices.Sort(kind.times)
		at := func(share float64) string {
			return fmt.Sprintf("%.2f", kind.times[int(share*float64(len(kind.times)-1))].Seconds()*1e3)
		}
		t.row(kind.name, len(kind.times), at(0.5), at(0.99), at(1))
	}
	return section("Changing flows under way", t,
		"Beside %d flows with mixed filters one program makes flows with others and closes some, one call after the other, while %d packets of the file are sent again and again, %d in all, at %d a second. "+
			"mapid lost %d of them; %d did not reach the interface. The flows that stayed count what libpcap counts.",
		b.mixedFilters, replayPackets, s.sent, changeRate, lost, s.sent-s.arrived)
}
