package main

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

const (
	replayed   = 5000   // packets of the file, which are sent again and again
	replayRate = 30_000 // packets a second
	changeable = 100    // flows that are there to be closed
)

// changes measures closing and making flows while packets come: many mixed filters are
// connected, and one program closes and makes flows all the time.
func (b *bench) changes(ctx context.Context, l link) string {
	progress("changing flows under way, beside %d", b.mixedFilters)
	// A new pair: the old one has GRO on, which merges segments of TCP.
	l.ns.Delete(testnet.B)
	l.ns.AddPair()
	l.sender = l.ns.Sender(testnet.A)
	filters := tracegen.Filters(b.mixedFilters+spareFilters, mixedSeed)
	expression := func(i int) string { return filters[i] }
	m := b.startFlows(ctx, clients{1, b.mixedFilters}, hands, func(i int) []call { return counters(filter(expression(i))) }).rested(ctx)
	defer m.stop()
	_, once := b.readLibpcap(ctx, replayed, list(b.mixedFilters, filterTask(expression)))
	loops := max(1, int(replayRate*b.changing.Seconds())/replayed)
	s := &session{link: l, subject: m, traffic: traffic{want: func(uint64) (all []uint64) {
		for _, c := range once {
			all = append(all, c.Packets*uint64(loops))
		}
		return all
	}}}
	c := &changer{client: m.newClient(), filters: filters[b.mixedFilters:]}
	defer c.client.Close()
	st := stream{frames: firstFrames(b.capture(b.packets), replayed), rate: replayRate, packets: loops * replayed}
	var sent transfer
	c.during(ctx, func() { sent = s.send(st) })
	r := must(s.account(ctx, sent))
	t := newTable("", "times", "half within, ms", "99 % within", "all within")
	for i, name := range []string{"make and connect", "close"} {
		times := c.times[i]
		t.row(name, len(times), fixed(times.at(0.5), 2), fixed(times.at(0.99), 2), fixed(times.at(1), 2))
	}
	return section("Changing flows under way", t,
		"Beside %d flows with mixed filters one program makes flows with others and closes some, one call after the other, while %d packets of the file are sent again and again, %d in all, at %d a second. "+
			"mapid lost %.0f of them; %d did not reach the interface. The flows that stayed count what libpcap counts.",
		b.mixedFilters, replayed, r.sent, replayRate, r.lost, r.sent-r.arrived)
}

// firstFrames are the first of a capture file.
func firstFrames(path string, n int) (all [][]byte) {
	for frame := range frames(path) {
		if len(all) == n {
			break
		}
		all = append(all, bytes.Clone(frame))
	}
	return all
}

// A changer closes and makes flows.
type changer struct {
	client  *mapi.Client
	filters []string
	times   [2]samples // of making and of closing, in ms
}

// during changes flows until f has ended.
func (c *changer) during(ctx context.Context, f func()) {
	changing, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { // ends with the context
		done <- catch(func() {
			for random, flows := rand.New(rand.NewPCG(11, 13)), []flow(nil); changing.Err() == nil; {
				flows = c.change(ctx, random, flows)
			}
		})
	}()
	err := catch(f)
	cancel()
	check(errors.Join(err, <-done))
}

// change makes a flow, and closes one when there are enough.
func (c *changer) change(ctx context.Context, random *rand.Rand, flows []flow) []flow {
	since := func(start time.Time) float64 { return time.Since(start).Seconds() * 1e3 }
	start := time.Now()
	flows = append(flows, newFlow(ctx, c.client, testnet.B, counters(filter(c.filters[random.IntN(len(c.filters))]))...))
	c.times[0] = append(c.times[0], since(start))
	if len(flows) < changeable {
		return flows
	}
	i := random.IntN(len(flows))
	start = time.Now()
	check(flows[i].Close(ctx))
	c.times[1] = append(c.times[1], since(start))
	return slices.Delete(flows, i, i+1)
}
