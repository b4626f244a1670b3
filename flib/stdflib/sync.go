package stdflib

import (
	"context"
	"strconv"
	"strings"

	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// maxSynced is the maximum number of flows for which one SYNC waits.
const maxSynced = 1024

var syncFlows = flib.Def{
	Name: "SYNC",
	Description: "Drops all packets until the given flows are connected, and then passes all packets. " +
		"If it is the first function of several flows on one device, they start with the same packet. " +
		"A closed flow counts as connected.",
	Args: []flib.Arg{{
		Name: "flows", Kind: flib.Flows,
		Doc: "numbers of 1 to 1024 flows, separated by commas; the flow of the function may be one of them. In Go, []*mapi.Flow",
	}},
	Filters: true,
	Example: `flow.Apply(ctx, "SYNC", []*mapi.Flow{flow, other})`,
	Call:    `SYNC("1,2")`,
	New:     newSync,
}

// A gate lets packets pass from a certain time on. All gates of the device with the same
// flows use the same time: the connect of the last flow. Flows of one device become
// connected between batches, so all gates notice this before the same packet. But the
// last flow sees no packets from before its connect, which the device may still deliver,
// so the other flows must leave these out as well. The engine and Expire stop this for a
// flow after the batch in which packet time has reached its connect. If the clock was set
// back just before, the engine gives up after a while and says that the flow sees all
// packets.
type gate struct {
	flows []*flib.FlowRef
	since uint64 // newest connect, in packet time; valid if all are connected
	open  bool   // packets from before since are no longer left out
	out   []*flib.Packet
}

func newSync(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	text := args.String(0)
	g := &gate{}
	for word := range strings.SplitSeq(text, ",") {
		fd, err := strconv.ParseInt(strings.TrimLeft(word, " "), 10, 32)
		if err != nil {
			return nil, mapierr.New(mapierr.InvalidArgument1,
				"SYNC: argument 1 (flows): %.40q is not the number of a flow: use \"fd,fd\"", word)
		}
		flow, err := env.ReferFlow(int32(fd))
		if err != nil {
			return nil, mapierr.New(mapierr.InvalidArgument2,
				"SYNC: argument 1 (flows): %v; create all flows before you apply SYNC", err)
		}
		if g.flows = append(g.flows, flow); len(g.flows) > maxSynced {
			return nil, mapierr.New(mapierr.InvalidArgument1, "SYNC: argument 1 (flows): more than %d flows", maxSynced)
		}
	}
	return g, nil
}

func (g *gate) Process(in []*flib.Packet) []*flib.Packet {
	if g.open {
		return in
	}
	if !g.connected() {
		return nil
	}
	g.out = g.out[:0]
	for _, p := range in {
		if p.TS >= g.since {
			g.out = append(g.out, p)
		}
	}
	return g.out
}

// connected reports whether all flows are connected. It asks each flow again while the
// gate is shut, because the time of a connect can become invalid.
func (g *gate) connected() bool {
	g.since = 0
	for _, f := range g.flows {
		since, ok := f.Connected()
		if !ok {
			return false
		}
		g.since = max(g.since, since)
	}
	return true
}

// Deadline implements flib.Expirer: the gate looks after each batch until it is open.
func (g *gate) Deadline() uint64 {
	if g.open {
		return flib.NoDeadline
	}
	return 0
}

// Expire implements flib.Expirer.
func (g *gate) Expire(now uint64) []*flib.Packet {
	if !g.open && g.connected() && now >= g.since {
		g.open, g.out = true, nil
	}
	return nil
}
