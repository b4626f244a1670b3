package engine

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/account"
	"gomapi/internal/foreign"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
	"gomapi/internal/policy"
	"gomapi/internal/ring"
)

// forUser makes a section for a user. Each list is a key and items, with "!" before what is denied.
func forUser(uid uint32, lists ...string) policy.Section {
	return fill(policy.Section{Kind: policy.User, Name: fmt.Sprint(uid), ID: &uid}, lists)
}

// forClient makes a section for a client.
func forClient(name string, lists ...string) policy.Section {
	return fill(policy.Section{Kind: policy.Client, Name: name, Identity: name}, lists)
}

func fill(s policy.Section, lists []string) policy.Section {
	s.Limits = make(map[account.Kind]policy.Limit)
	for _, text := range lists {
		words, l := strings.Fields(text), &policy.List{}
		for _, item := range words[1:] {
			if name, deny := strings.CutPrefix(item, "!"); deny {
				l.Deny = append(l.Deny, name)
			} else {
				l.Allow = append(l.Allow, item)
			}
		}
		for _, k := range []policy.Key{policy.Devices, policy.Functions, policy.Statistics} {
			if k.String() == words[0] {
				s.Lists[k] = l
			}
		}
	}
	return s
}

// rule replaces the policy and returns how many flows have ended.
func (b *bed) rule(sections ...policy.Section) int {
	return b.engine.SetPolicy(policy.New("conf", sections))
}

// asClient makes a client of a name.
func (b *bed) asClient(name string) *client {
	return b.join(Owner{Client: name, Subject: policy.Subject{Client: name}})
}

// output makes a file argument.
func output(t *testing.T) flib.OpenFile {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := foreign.Own(f)
	if err != nil {
		t.Fatal(err)
	}
	return flib.OpenFile{File: own, Path: f.Name()}
}

// TestRights: each place asks the policy, and refuses with the number.
func TestRights(t *testing.T) {
	create := func(c *client, device string) error {
		_, err := c.CreateFlow(t.Context(), device)
		return err
	}
	apply := func(name string, args ...any) func(*client) error {
		return func(c *client) error {
			f, err := c.CreateFlow(t.Context(), "net0")
			if err == nil {
				_, err = c.Apply(t.Context(), f.FD, name, args)
			}
			return err
		}
	}
	net0 := func(c *client) error { return create(c, "net0") }
	uplink := func(c *client) error { return create(c, "uplink") }
	toFile := func(c *client) error { return apply("TO_FILE", int64(0), output(t))(c) }
	file := func(c *client) error {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return err
		}
		own, err := foreign.Own(f)
		if err == nil {
			_, err = c.CreateOffline(t.Context(), own, "tape", drivers.FormatPCAP)
		}
		return err
	}
	stats := func(c *client) error { _, err := c.DeviceStats("net0"); return err }
	books := func(c *client) error { _, err := c.DeviceBooks("net0"); return err }
	listed := func(c *client) error {
		if len(c.Devices()) == 0 {
			return mapierr.New(mapierr.AuthFailed, "no device")
		}
		return nil
	}
	noFiles, forced := forUser(1, "functions *"), forUser(1)
	noFiles.Limits[account.WrittenFiles] = policy.Limit{}
	forced.Force = force(t, "NO_SUCH(1)")
	for _, c := range []struct {
		what     string
		sections []policy.Section
		as       string // a client, empty: user 1
		do       func(*client) error
		want     mapierr.Code
	}{
		{"create", []policy.Section{forUser(1, "devices net0")}, "", net0, 0},
		{"create by the alias", []policy.Section{forUser(1, "devices net0")}, "", uplink, 0},
		{"create, denied", []policy.Section{forUser(1, "devices * !net0")}, "", net0, mapierr.AuthFailed},
		{"create by the alias, denied", []policy.Section{forUser(1, "devices * !net0")}, "", uplink, mapierr.AuthFailed},
		{"create, denied by the alias", []policy.Section{forUser(1, "devices * !uplink")}, "", net0, mapierr.AuthFailed},
		{"create, an unknown device", []policy.Section{forUser(1, "devices !*")}, "", func(c *client) error { return create(c, "x") }, mapierr.NoDriver},
		{"create, a client", []policy.Section{forClient("noc", "devices net0")}, "noc", net0, 0},
		{"create, an unknown client", []policy.Section{forClient("noc", "devices net0")}, "x", net0, mapierr.NoAuthData},
		{"create, forced in vain", []policy.Section{forced}, "", net0, mapierr.FunctionNotFound},
		{"apply", []policy.Section{forUser(1, "functions PKT_COUNTER")}, "", apply("PKT_COUNTER"), 0},
		{"apply, denied", []policy.Section{forUser(1, "functions * !PKT_COUNTER")}, "", apply("PKT_COUNTER"), mapierr.AuthFailed},
		{"apply with a library, denied", []policy.Section{forUser(1, "functions * !PKT_COUNTER")}, "", apply("stdflib:PKT_COUNTER!1"), mapierr.AuthFailed},
		{"apply, an unknown function", []policy.Section{forUser(1, "functions !*")}, "", apply("X"), mapierr.FunctionNotFound},
		{"apply, a client", []policy.Section{forClient("noc", "devices *")}, "noc", apply("PKT_COUNTER"), mapierr.AuthFailed},
		{"write", []policy.Section{forUser(1, "functions *")}, "", toFile, 0},
		{"write, denied", []policy.Section{forUser(1, "functions * !TO_FILE")}, "", toFile, mapierr.AuthFailed},
		{"write, no files", []policy.Section{noFiles}, "", toFile, mapierr.AuthFailed},
		{"count, no files", []policy.Section{noFiles}, "", apply("PKT_COUNTER"), 0},
		{"file", []policy.Section{forUser(1, "devices MFF_PCAP")}, "", file, 0},
		{"file, denied", []policy.Section{forUser(1, "devices * !MFF_PCAP")}, "", file, mapierr.AuthFailed},
		{"file, an unknown client", []policy.Section{forUser(1)}, "x", file, mapierr.NoAuthData},
		{"statistics", []policy.Section{forUser(1, "devices !*", "statistics net0")}, "", stats, 0},
		{"statistics, denied", []policy.Section{forUser(1, "statistics !net0")}, "", stats, mapierr.AuthFailed},
		{"statistics, no device", []policy.Section{forUser(1, "devices x")}, "", stats, mapierr.AuthFailed},
		{"books", []policy.Section{forUser(1, "devices !*", "statistics uplink")}, "", books, 0},
		{"books, denied", []policy.Section{forUser(1, "statistics !uplink")}, "", books, mapierr.AuthFailed},
		{"books, an unknown client", []policy.Section{forUser(1)}, "x", books, mapierr.NoAuthData},
		{"list", []policy.Section{forUser(1, "devices !*", "statistics *")}, "", listed, 0},
		{"list, denied", []policy.Section{forUser(1, "devices !*")}, "", listed, mapierr.AuthFailed},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBed(t)
			b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{0})
			b.client(9).connected() // so that the device is open
			b.rule(c.sections...)
			who := b.client(1)
			if c.as != "" {
				who = b.asClient(c.as)
			}
			wantCode(t, c.what, c.do(who), c.want)
		})
	}
}

// force reads functions that are forced on flows.
func force(t *testing.T, text string) *policy.Force {
	t.Helper()
	calls, err := funccall.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &policy.Force{Line: 7, Calls: calls}
}

// TestForcedByThePolicy: the flows of a user get what the forced functions let through, under either
// name of the device, and end when others are forced.
func TestForcedByThePolicy(t *testing.T) {
	b := newBed(t)
	rule := forUser(1, "devices uplink")
	rule.Force = force(t, `BPF_FILTER("udp port 53"), SAMPLE(2, PERIODIC)`)
	b.rule(rule)
	c, other := b.client(1), b.client(2)
	fd, counts := c.connected(fn("PKT_COUNTER"))
	_, all := other.connected(fn("PKT_COUNTER"))
	b.source.Send(udps(53, 7, 53, 53, 7, 53)...)
	wantCount(t, "packets behind the forced functions", counts[0], 2)
	wantCount(t, "packets of another user", all[0], 6)
	b.rule(rule) // the same functions
	if f, _ := c.Flow(fd); f.Err != nil {
		t.Errorf("the flow has ended: %v", f.Err)
	}
	rule.Force = force(t, `BPF_FILTER("udp port 53")`)
	b.rule(rule)
	f, _ := c.Flow(fd)
	wantCode(t, "the flow when others are forced", f.Err, mapierr.NotAuthenticated)
	_, counts = c.connected(fn("PKT_COUNTER"))
	b.source.Send(udps(53, 7)...)
	wantCount(t, "packets behind the new functions", counts[0], 1)
	b.rule()
	_, counts = c.connected(fn("PKT_COUNTER"))
	b.source.Send(udps(53, 7)...)
	wantCount(t, "packets without forced functions", counts[0], 2)
	wantCount(t, "packets of another user", all[0], 10)
}

// TestConnectAsksAgain: a flow that was made before cannot be connected when the right is lost.
func TestConnectAsksAgain(t *testing.T) {
	b := newBed(t)
	c, noc := b.client(1), b.asClient("noc")
	fd, _ := c.flow(fn("BYTE_COUNTER"), fn("PKT_COUNTER"))
	other, _ := noc.flow()
	forced := forUser(1)
	forced.Force = force(t, "SAMPLE(20,PERIODIC)")
	for _, s := range []policy.Section{forUser(1, "devices !*"), forUser(1, "functions * !PKT_COUNTER"), forced} {
		b.rule(s)
		wantCode(t, "connect", c.Connect(t.Context(), fd), mapierr.AuthFailed)
		wantCode(t, "connect of a client", noc.Connect(t.Context(), other), mapierr.NoAuthData)
	}
	b.rule()
	wantCode(t, "connect", c.Connect(t.Context(), fd), 0)
	wantCode(t, "connect of a client", noc.Connect(t.Context(), other), 0)
}

// A starter is a function that does something when its flow is being connected.
type starter struct{ start func() }

func (s *starter) Start() error                             { s.start(); return nil }
func (s *starter) Stop()                                    {}
func (s *starter) Process(in []*flib.Packet) []*flib.Packet { return in }

// TestRightIsLostWhileConnecting: the flow is not connected.
func TestRightIsLostWhileConnecting(t *testing.T) {
	var b *bed
	b = newBed(t, maker("START", func(flib.Env) (flib.Function, error) {
		return &starter{func() { b.rule(forUser(1, "devices !*")) }}, nil
	}))
	c := b.client(1)
	fd, counters := c.flow(fn("START"), fn("PKT_COUNTER"))
	wantCode(t, "connect", c.Connect(t.Context(), fd), mapierr.AuthFailed)
	b.source.Send(udp(53, 0))
	wantCount(t, "packets", counters[1], 0)
}

// TestRootSeesOthers unless the policy denies it.
func TestRootSeesOthers(t *testing.T) {
	b := newBed(t)
	root, c := b.client(0), b.client(1)
	c.flow()
	sees := func(want int) {
		t.Helper()
		if n := len(root.Flows()); n != want {
			t.Errorf("root sees %d flows, want %d", n, want)
		}
	}
	sees(1)
	b.rule(forUser(0, "statistics net0"))
	sees(0)
	b.rule(forUser(0, "statistics *"))
	sees(1)
}

// TestRightIsLost: when a policy takes a right away, the flows end that need it, in a segment or
// not, and no others. Their results and books stay, and are right.
func TestRightIsLost(t *testing.T) {
	for _, merged := range []bool{false, true} {
		b := newBed(t)
		ann, bob := b.client(1), b.client(2)
		ann.ended = make(chan error, 100)
		fds, counters := ann.equals(20)
		kept, keptCounters := bob.equals(20)
		steady, steadyCounter := ann.connected(fn("BYTE_COUNTER"))
		send := func(n uint64) {
			for range n {
				b.source.Send(udp(53, 0), udp(80, 1))
			}
		}
		send(3)
		if merged {
			b.merged()
		}
		send(4)
		if n := b.rule(forUser(1, "functions * !PKT_COUNTER")); n != len(fds) {
			t.Errorf("%d flows have ended, want %d", n, len(fds))
		}
		for range fds {
			if err := ann.told(); mapierr.CodeOf(err, 0) != mapierr.NotAuthenticated || !strings.Contains(err.Error(), "function PKT_COUNTER is denied by the key functions of [user 1] (conf:0)") {
				t.Fatalf("the user is told %v", err)
			}
		}
		send(5)
		for i, fd := range fds {
			info, _ := ann.Flow(fd)
			if info.Status != FlowFinished || mapierr.CodeOf(info.Err, 0) != mapierr.NotAuthenticated || info.End.IsZero() {
				t.Errorf("flow that has lost its right: %+v", info)
			}
			if bk := info.Books; bk.In != 7 || !bk.Balances() {
				t.Errorf("its books: %+v", bk)
			}
			wantCount(t, "packets of a flow that has lost its right", counters[i], 7)
		}
		b.merged()
		send(1)
		for i, fd := range kept {
			if info, _ := bob.Flow(fd); info.Status != FlowActive || info.Books.In != 13 || !info.Books.Balances() {
				t.Errorf("flow of another user: %+v", info)
			}
			wantCount(t, "packets of another user", keptCounters[i], 13)
		}
		wantCount(t, "bytes of a flow that needs no such right", steadyCounter[0], 26*60)
		wantCode(t, "connect again", ann.Connect(t.Context(), fds[0]), mapierr.FlowAlreadyActive)
		b.rule()
		for _, fd := range append(fds, steady) {
			wantCode(t, "close", ann.CloseFlow(fd), 0)
		}
		_, again := ann.equals(1)
		send(1)
		wantCount(t, "packets of a new flow", again[0], 1)
		if len(bob.ended) != 0 {
			t.Error("another user is told")
		}
	}
}

// TestReaderWhoLosesTheRight gets the packets from before, and then the end.
func TestReaderWhoLosesTheRight(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	f, err := c.CreateFlow(t.Context(), "net0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Apply(t.Context(), f.FD, "TO_BUFFER", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.Open(a.Ring.Files()...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	wantCode(t, "connect", c.Connect(t.Context(), f.FD), 0)
	b.source.Send(udp(53, 0))
	b.rule(forUser(1, "devices !*"))
	b.source.Send(udp(53, 1))
	if _, err := r.Next(t.Context()); err != nil {
		t.Errorf("the packet from before: %v", err)
	}
	if _, err := r.Next(t.Context()); err != io.EOF {
		t.Errorf("behind it: %v, want EOF", err)
	}
}

// TestFileWhoseReaderLosesTheRight waits for its program in the middle of a batch. It must not wait
// for ever.
func TestFileWhoseReaderLosesTheRight(t *testing.T) {
	b := newBed(t)
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{1 << 17})
	c := b.client(1)
	name := c.tape()
	lost, _ := c.flowOn(name, fn("TO_BUFFER", int64(1)))
	wantCode(t, "connect", c.Connect(t.Context(), lost), 0)
	counts, results := c.flowOn(name, fn("PKT_COUNTER"))
	wantCode(t, "connect", c.Connect(t.Context(), counts), 0)
	wantCode(t, "start", c.StartOffline(name), 0)
	file := c.offline[name].cur
	b.until("the file waits for its reader", file.loop.Parked)
	if n := b.rule(forUser(1, "functions PKT_COUNTER")); n != 1 {
		t.Errorf("%d flows have ended, want 1", n)
	}
	wantCode(t, "end of the flow", c.told(), mapierr.NotAuthenticated)
	wantCode(t, "end of the file", c.told(), 0)
	wantCount(t, "packets of the other flow", results[0], 1<<17)
}

// TestRightIsLostBeforeTheStart of a file: the flow gets no packet.
func TestRightIsLostBeforeTheStart(t *testing.T) {
	b := newBed(t)
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{drivers.MaxBatch})
	c := b.client(1)
	name := c.tape()
	lost, lostCounter := c.flowOn(name, fn("PKT_COUNTER"))
	kept, counter := c.flowOn(name, fn("BYTE_COUNTER"))
	for _, fd := range []int32{lost, kept} {
		wantCode(t, "connect", c.Connect(t.Context(), fd), 0)
	}
	b.rule(forUser(1, "functions BYTE_COUNTER"))
	wantCode(t, "end of the flow", c.told(), mapierr.NotAuthenticated)
	wantCode(t, "start", c.StartOffline(name), 0)
	wantCode(t, "end of the file", c.told(), 0)
	wantCount(t, "packets of the flow", lostCounter[0], 0)
	wantCount(t, "bytes of the other flow", counter[0], 60*drivers.MaxBatch)
	if info, _ := c.Flow(lost); info.Books.In != 0 || mapierr.CodeOf(info.Err, 0) != mapierr.NotAuthenticated {
		t.Errorf("%+v", info)
	}
}

// TestRightIsLostInLockstep: the flow to which a function of another one refers loses its right. The
// other one goes on with the last result.
func TestRightIsLostInLockstep(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	counting, counter := c.connected(fn("PKT_COUNTER"))
	infos, err := c.Functions(counting)
	if err != nil {
		t.Fatal(err)
	}
	_, results := c.connected(fn("BYTE_COUNTER"), fn("BUCKET", int64(counting), int64(infos[0].FID), "0", int64(0)))
	b.source.Send(udp(53, 0))
	b.rule(forUser(1, "functions * !PKT_COUNTER"))
	b.source.Send(udp(53, 1))
	wantCount(t, "packets of the flow", counter[0], 1)
	wantCount(t, "bytes of the flow that refers to it", results[0], 120)
}

// TestLimitsOfThePolicy: a user has the limits of its section, from the next thing on that it takes.
func TestLimitsOfThePolicy(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	s := forUser(1)
	s.Limits[account.Buffers] = policy.Limit{Amount: 1}
	b.rule(s)
	c.flow(fn("TO_BUFFER"))
	fd, _ := c.flow()
	_, err := c.Apply(t.Context(), fd, "TO_BUFFER", nil)
	if wantCode(t, "second buffer", err, mapierr.Memory); err == nil || !strings.Contains(err.Error(), "(buffers in [user 1] (conf:0))") {
		t.Errorf("%v", err)
	}
	b.client(2).flow(fn("TO_BUFFER"), fn("TO_BUFFER"))
	b.rule()
	c.flow(fn("TO_BUFFER"))
}

// TestPolicyChangesUnderTraffic: policies come and go while flows do and packets come. No flow of
// a user whose rights stay misses a packet.
func TestPolicyChangesUnderTraffic(t *testing.T) {
	b := newBed(t)
	steady := b.client(2)
	_, counters := steady.equals(10)
	const batches, size = 1000, 8
	var work sync.WaitGroup
	work.Go(func() {
		for i := range batches {
			var pkts []drivers.Packet
			for j := range size {
				pkts = append(pkts, udp(53, uint32(i*size+j)))
			}
			b.source.Send(pkts...)
		}
	})
	for range 3 {
		c := b.client(1)
		c.ended = make(chan error, 1000)
		work.Go(func() { c.comeAndGo(100) })
	}
	policies := [][]policy.Section{nil, {forUser(1, "devices !*")}, {forUser(1, "functions * !PKT_COUNTER")}, {forUser(1, "devices *")}}
	for i := range 200 {
		b.rule(policies[i%len(policies)]...)
	}
	work.Wait()
	for _, r := range counters {
		wantCount(t, "packets of a user whose rights stay", r, batches*size)
	}
}

// comeAndGo makes flows, which may be refused, and closes them.
func (c *client) comeAndGo(rounds int) {
	for range rounds {
		f, err := c.CreateFlow(c.t.Context(), "net0")
		if err == nil {
			_, err = c.Apply(c.t.Context(), f.FD, "PKT_COUNTER", nil)
		}
		if err == nil {
			err = c.Connect(c.t.Context(), f.FD)
		}
		if code := mapierr.CodeOf(err, 0); !slices.Contains([]mapierr.Code{0, mapierr.AuthFailed}, code) {
			c.t.Errorf("a flow: %v", err)
		}
		if f.FD != 0 {
			wantCode(c.t, "close", c.CloseFlow(f.FD), 0)
		}
	}
}
