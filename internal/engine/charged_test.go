package engine

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"gomapi/internal/account"
	"gomapi/internal/testenv"
)

// here stands for the number of the flow among arguments.
type here struct{}

// TestChargedMemory makes many of everything that takes memory and compares what is charged
// with what the process has taken: it is no less than four fifths of it.
func TestChargedMemory(t *testing.T) {
	ports := 0
	type made func() []any
	call := func(f ...any) made { return func() []any { return append([]any(nil), f...) } }
	pattern := strings.Repeat("needle||", 900)
	for name, c := range map[string]struct {
		n         int
		functions []made
	}{
		"flows":    {20000, nil},
		"counters": {10000, []made{call("PKT_COUNTER")}},
		"filters": {2000, []made{func() []any {
			ports++
			return fn("BPF_FILTER", fmt.Sprintf("udp port %d", ports))
		}, call("PKT_COUNTER")}},
		"samples":   {1000, []made{call("SAMPLE", 2, 0), call("HASHSAMP", 100, 0)}},
		"intervals": {100, []made{call("PKTINFO", 1), call("DIST", here{}, here{}, "0", "16384", "1")}},
		"bursts":    {100, []made{call("BURST", 1, 8000, 2, 16000, 1230400, 1230400, 10)}},
		"windows":   {200, []made{call("PKTINFO", 1), call("THRESHOLD", 2+128, here{}, here{}, uint64(5), 1, 100000, 4096, 0)}},
		"buffers":   {200, []made{call("TO_BUFFER")}},
		"patterns":  {300, []made{func() []any { ports++; return fn("STR_SEARCH", fmt.Sprint(pattern, ports), 0, 0) }}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			l := b.engine.opts.Accounts.Limits()
			for k := range l {
				l[k] = account.Limit{User: 1 << 40, All: 1 << 41}
			}
			b.engine.opts.Accounts.SetLimits(l)
			client := b.client(5)
			add := func() {
				var calls [][]any
				for _, f := range c.functions {
					calls = append(calls, f())
				}
				client.addFlow(calls)
			}
			for range 10 {
				add()
			}
			before, charged := memory(t), client.taken(account.Memory)
			for range c.n {
				add()
			}
			took, charged := memory(t)-before, client.taken(account.Memory)-charged
			t.Logf("%d bytes each, %d are charged", took/int64(c.n), charged/int64(c.n))
			if !testenv.Race && 5*charged < 4*took {
				t.Errorf("%d bytes are charged for %d", charged, took)
			}
		})
	}
}

// TestPayersOfOneUser: connections with the same user number, of two containers, are charged to
// whoever pays for each, and see each other's flows.
func TestPayersOfOneUser(t *testing.T) {
	b := newBed(t)
	accounts := b.engine.opts.Accounts
	var sessions []*Session
	for _, id := range []string{"user 1", "user 2"} {
		s, err := b.engine.NewSession(Owner{UID: 100000, Payer: account.Holder{ID: id}}, func(Ended) {})
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
		if _, err := s.CreateFlow(t.Context(), "net0"); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range accounts.List() {
		if got := a.Taken(account.Connections); got != 1 {
			t.Errorf("%s has %d connections", a.Holder.ID, got)
		}
	}
	if n := len(slices.Collect(sessions[0].FlowsAfter(0, 10))); len(accounts.List()) != 2 || n != 2 {
		t.Errorf("%d accounts, %d flows seen", len(accounts.List()), n)
	}
	for _, s := range sessions {
		s.Close()
	}
	if len(b.engine.users) != 0 || len(b.engine.identities) != 0 {
		t.Errorf("%d users of %d identities are left", len(b.engine.users), len(b.engine.identities))
	}
	if n := len(accounts.List()); n != 0 || accounts.Taken(account.Memory) != 0 {
		t.Errorf("%d accounts with %d bytes are left", n, accounts.Taken(account.Memory))
	}
}

// addFlow makes a flow with functions, the second of which may refer to the first.
func (c *client) addFlow(calls [][]any) {
	c.t.Helper()
	f, err := c.CreateFlow(c.t.Context(), "net0")
	if err != nil {
		c.t.Fatal(err)
	}
	refs, fid := []int64{int64(f.FD), 0}, int64(0)
	for _, call := range calls {
		for j, arg := range call {
			switch v := arg.(type) {
			case here:
				refs[1] = fid
				call[j], refs = refs[0], append(refs[1:], refs[0])
			case int:
				call[j] = int64(v)
			}
		}
		a, err := c.Apply(c.t.Context(), f.FD, call[0].(string), call[1:])
		if err != nil {
			c.t.Fatalf("%v: %v", call, err)
		}
		fid = int64(a.FID)
	}
	if err := c.Connect(c.t.Context(), f.FD); err != nil {
		c.t.Fatal(err)
	}
}

// memory returns the bytes that the process has, except for files.
func memory(t *testing.T) (n int64) {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kb int64
		for _, name := range []string{"RssAnon:", "RssShmem:"} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				if _, err := fmt.Sscan(rest, &kb); err != nil {
					t.Fatal(err)
				}
				n += kb << 10
			}
		}
	}
	return n
}
