package main

import (
	"context"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// memberCrew is flows that count, of one client or many in this process. Its CPU time
// is that of mapid and its children: the programs only read counters.
type memberCrew struct {
	daemon  *daemon
	clients []*mapi.Client
	members []member
	setup   time.Duration // until all flows are connected
	memory  uint64        // of mapid and its children then, in bytes
}

// startMembers starts a mapid with clients that make a flow for each call each.
func (b *bench) startMembers(ctx context.Context, clients int, calls []call) (*memberCrew, error) {
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return nil, err
	}
	c := &memberCrew{daemon: d}
	start := time.Now()
	for range clients {
		client := d.newClient()
		c.clients = append(c.clients, client)
		members, err := joinAll(ctx, client, testnet.B, calls)
		if err != nil {
			c.stop()
			return nil, err
		}
		c.members = append(c.members, members...)
	}
	c.setup = time.Since(start)
	if err := d.atRest(ctx, testnet.B); err != nil {
		c.stop()
		return nil, err
	}
	if c.memory, err = memoryOf(d.pid()); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *memberCrew) stop() {
	for _, client := range c.clients {
		client.Close()
	}
	c.daemon.stop()
}

func (c *memberCrew) cpu() (time.Duration, error) { return cpuOfTree(c.daemon.pid()) }

func (c *memberCrew) ask(ctx context.Context, all account) ([]answer, error) {
	lost, err := c.daemon.dealtWith(ctx, all.arrived, time.Now().Add(patience))
	if err != nil {
		return nil, err
	}
	counts, err := c.counted()
	if err != nil {
		return nil, err
	}
	answers := make([]answer, len(counts))
	for i, n := range counts {
		answers[i] = answer{lost: lost, found: n.Packets}
	}
	return answers, nil
}

// resultLag is by how much the results of very many flows may be behind the books.
const resultLag = 200 * time.Millisecond

// counted returns what the flows have counted of the packets that were dealt with.
func (c *memberCrew) counted() ([]tracegen.Count, error) {
	time.Sleep(resultLag + 100*time.Millisecond)
	return counted(c.members)
}
