package account

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// at makes accounts with one limit of memory.
func at(user, all int64) *Accounts {
	var l Limits
	l[Memory] = Limit{User: user, All: all}
	return New(l)
}

func (a *Accounts) user(id string) *Account { return a.Open(Holder{ID: "user " + id}) }

// want checks whether a user gets n, and if not, what the text says.
func (u *Account) want(t *testing.T, n int64, text string) {
	t.Helper()
	own, all := u.Taken(Memory), u.all.Taken(Memory)
	err := u.Take(Memory, n)
	var r *Refusal
	switch {
	case text == "" && err != nil:
		t.Errorf("%d more for %s: %v", n, u.Holder.ID, err)
	case text != "" && err == nil:
		t.Errorf("%d more for %s are granted", n, u.Holder.ID)
	case text != "":
		if !errors.As(err, &r) || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "memory in mapi.conf") {
			t.Errorf("%d more for %s: %v; want %q", n, u.Holder.ID, err, text)
		}
		if u.Taken(Memory) != own || u.all.Taken(Memory) != all {
			t.Errorf("a refusal has changed %d, %d to %d, %d", own, all, u.Taken(Memory), u.all.Taken(Memory))
		}
	}
}

func TestLimits(t *testing.T) {
	a := at(500, 1000)
	ann, bob, root := a.user("1"), a.user("2"), a.Open(Holder{ID: "user 0", Root: true})
	ann.want(t, 501, "limit of 500 for a user")
	ann.want(t, 1<<62, "limit of 1000")
	ann.want(t, 500, "")
	ann.want(t, 1, "limit of 500 for a user")
	if ann.Refused(Memory) != 3 {
		t.Errorf("%d refusals", ann.Refused(Memory))
	}
	bob.want(t, 250, "")
	ann.Give(Memory, 100)
	bob.want(t, 100, "") // 750 in use, 333 each
	bob.want(t, 1, "equal part for each of 3 users")
	cem := a.user("3")
	cem.want(t, 157, "")
	cem.want(t, 1, "kept for root and users who have little") // 907 in use
	dora := a.user("4")
	dora.want(t, 15, "") // has little
	dora.want(t, 1, "kept for root")
	for i := range 3 {
		a.user("new"+string(rune('a'+i))).want(t, 15, "")
	}
	a.user("last").want(t, 15, "kept for root") // 967 in use
	root.want(t, 33, "")
	root.want(t, 1, "limit of 1000")
	root.Give(Memory, 33)
}

// TestSharedAccount opens an account twice: both have one limit, and it is forgotten with the
// last close.
func TestSharedAccount(t *testing.T) {
	a := at(500, 1000)
	x, y := a.user("1"), a.user("1")
	x.want(t, 300, "")
	y.want(t, 300, "limit of 500 for a user")
	x.Close()
	if y.Taken(Memory) != 300 || len(a.List()) != 1 {
		t.Error("closing one of two has an effect")
	}
	y.Give(Memory, 300)
	y.Close()
	if len(a.List()) != 0 || a.users.Load() != 0 || a.Taken(Memory) != 0 {
		t.Error("the account is left")
	}
}

// TestLimitsThatShrink changes the limits below what is in use.
func TestLimitsThatShrink(t *testing.T) {
	a := at(500, 1000)
	u := a.user("1")
	u.want(t, 400, "")
	l := a.Limits()
	l[Memory] = Limit{User: 100, All: 200}
	a.SetLimits(l)
	u.want(t, 1, "limit of 200")
	u.Give(Memory, 350)
	u.want(t, 1, "")
}

// TestConcurrency takes and gives at random. No limit is ever exceeded, and in the end nothing
// is in use.
func TestConcurrency(t *testing.T) {
	const user, all = 100, 300
	a := at(user, all)
	var wg sync.WaitGroup
	for g := range 8 {
		u := a.user(string(rune('a' + g%4)))
		wg.Go(func() {
			defer u.Close()
			random := rand.New(rand.NewPCG(1, uint64(g)))
			var held []int64
			for range 20_000 {
				if n := random.Int64N(30); random.IntN(2) == 0 && u.TryTake(Memory, n) {
					held = append(held, n)
				} else if len(held) > 0 {
					u.Give(Memory, held[len(held)-1])
					held = held[:len(held)-1]
				}
				sum := int64(0)
				for _, n := range held {
					sum += n
				}
				if sum > user {
					t.Errorf("a goroutine has %d", sum)
					return
				}
			}
			for _, n := range held {
				u.Give(Memory, n)
			}
		})
	}
	wg.Wait()
	if a.Taken(Memory) != 0 || len(a.List()) != 0 {
		t.Errorf("%d are left, %d accounts", a.Taken(Memory), len(a.List()))
	}
}

func TestNoAllocations(t *testing.T) {
	u := at(1000, 2000).user("1")
	if n := testing.AllocsPerRun(100, func() {
		if u.TryTake(Memory, 10) {
			u.Give(Memory, 10)
		}
		u.TryTake(Memory, 5000)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestMachine reads the memory of machines.
func TestMachine(t *testing.T) {
	const meminfo = "MemTotal:        4046800 kB\nMemFree:  1 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no groups":    {map[string]string{"proc/meminfo": meminfo}, 4046800 << 10},
		"nothing":      {nil, 4 << 30},
		"own group":    {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "1610612736\n"}, 1610612736},
		"group above":  {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1000000\n"}, 1000000},
		"namespace":    {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "2000000\n"}, 2000000},
		"version 1":    {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu:/x\n4:memory:/x\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "3000000\n"}, 3000000},
		"outside":      {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/../../etc\nx\n"}, 4046800 << 10},
		"large groups": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "9223372036854771712\n"}, 4046800 << 10},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			file = filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := available(root); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
	for k, l := range ForMachine() {
		if l.User < 1 || l.All < l.User {
			t.Errorf("%v: %+v", Kind(k), l)
		}
	}
}

// TestRefusedAreNotMissed: while a user asks for much in vain, another one is never refused the
// little that there is.
func TestRefusedAreNotMissed(t *testing.T) {
	a := at(500, 1000)
	greedy, other, third := a.user("1"), a.user("2"), a.user("3")
	third.want(t, 500, "")
	other.want(t, 100, "")
	var asking sync.WaitGroup
	var stop atomic.Bool
	asking.Go(func() {
		for !stop.Load() {
			if greedy.TryTake(Memory, 450) {
				t.Error("more than there is was given")
				return
			}
		}
	})
	for range 200_000 {
		if err := other.Take(Memory, 10); err != nil {
			t.Errorf("10 of 400 that are free: %v", err)
			break
		}
		other.Give(Memory, 10)
	}
	stop.Store(true)
	asking.Wait()
}

// TestOwnLimits gives a user limits of its own, and takes them away again.
func TestOwnLimits(t *testing.T) {
	a := at(500, 1000)
	ann, bob := a.user("1"), a.user("2")
	ann.SetOwn(Own{Memory: {Amount: 50, Key: "memory in [user ann]"}})
	bob.SetOwn(Own{Memory: {Amount: 1 << 40}})
	ann.want(t, 50, "")
	if err := ann.Take(Memory, 1); err == nil || !strings.Contains(err.Error(), "limit of 50 for a user (memory in [user ann])") {
		t.Errorf("%v", err)
	}
	if ann.Limit(Memory) != 50 || bob.Limit(Memory) != 1000 || ann.Limit(Buffers) != 0 {
		t.Errorf("limits are %d and %d", ann.Limit(Memory), bob.Limit(Memory))
	}
	bob.want(t, 600, "")
	ann.SetOwn(nil)
	ann.want(t, 50, "")
}
