package stdflib

import (
	"context"
	"strconv"
	"strings"

	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// maxSynced bounds the flows that one SYNC waits for.
const maxSynced = 1024

var syncFlows = flib.Def{
	Name: "SYNC",
	Description: "Holds all packets back until the flows that it is given are connected; then it lets all pass. " +
		"Put first in each of several flows on one device, it makes them start with the same packet. " +
		"A flow that is closed counts as connected.",
	Args: []flib.Arg{{
		Name: "flows", Kind: flib.Flows,
		Doc: "numbers of 1 to 1024 flows, separated by commas; its own may be among them. In Go, []*mapi.Flow",
	}},
	Filters: true,
	Example: `flow.Apply(ctx, "SYNC", []*mapi.Flow{flow, other})`,
	New:     newSync,
}

// A gate lets packets pass from a moment on that is the same for all gates of the
// device with the same flows: the connect of the last one. Flows of one device
// become connected between batches, so all gates see that before the same
// packet. But the last flow itself sees no packets from before its connect, which
// the device may still bring, so the others have to leave these out as well. The
// engine ends that for a flow after the batch in which packet time has come to
// its connect, and so does Expire. When the clock was set back just before that,
// the engine gives up after a while and says that the flow sees all packets.
type gate struct {
	flows []*flib.FlowRef
	since uint64 // newest connect, in packet time; valid when all are connected
	open  bool   // packets from before since are not left out any more
	out   []*flib.Packet
}

func newSync(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	text := args.String(0)
	g := &gate{}
	for word := range strings.SplitSeq(text, ",") {
		fd, err := strconv.ParseInt(strings.TrimLeft(word, " "), 10, 32)
		if err != nil {
			return nil, mapierr.New(mapierr.InvalidArgument1,
				"SYNC: argument 1 (flows): %.40q is not the number of a flow, want \"fd,fd\"", word)
		}
		flow, err := env.ReferFlow(int32(fd))
		if err != nil {
			return nil, mapierr.New(mapierr.InvalidArgument2,
				"SYNC: argument 1 (flows): %v; create all flows before SYNC is applied to one", err)
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

// connected reports whether all flows are. It asks each again, as long as the gate
// is shut: the time of a connect can come to nothing.
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

// Expire implements flib.Expirer.
func (g *gate) Expire(now uint64) []*flib.Packet {
	if !g.open && g.connected() && now >= g.since {
		g.open, g.out = true, nil
	}
	return nil
}
