package classify_test

import (
	"slices"
	"testing"

	netbpf "golang.org/x/net/bpf"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
	"gomapi/internal/classify"
)

// TestShared: sets made to exceed the limits change nothing for the filters of another user, which
// are the last ones in any order of the programs.
func TestShared(t *testing.T) {
	for name, c := range map[string]struct{ hostile, others []*bpf.Program }{
		"steps":  {repeat(1500, func(i int) *bpf.Program { return doubling(t, i, 2, 1) }), ports(t, 300, 400)},
		"sizes":  {shared(t, 1200, 3800), repeat(10, func(i int) *bpf.Program { return alternatives(t, i, 4000) })},
		"terms":  {repeat(140_000, func(i int) *bpf.Program { return distinct(t, i) }), repeat(1000, func(i int) *bpf.Program { return distinct(t, 200_000+i) })},
		"blocks": {spreads(t, 2200, 0), spreads(t, 10, 2200)},
	} {
		t.Run(name, func(t *testing.T) {
			programs := slices.Concat(c.hostile, c.others)
			first := uint32(len(c.hostile))
			of := func(c *classify.Classifier) (hostile, others int) {
				for _, m := range c.Everywhere() {
					if m < first {
						hostile++
					} else {
						others++
					}
				}
				return hostile, others
			}
			if _, others := of(classify.NewClassifier(programs)); others == 0 {
				t.Fatal("the set does not affect the others even if it is of one user")
			}
			shared := classify.NewShared(programs, users(len(c.hostile), len(c.others)))
			if hostile, others := of(shared); hostile == 0 || others != 0 {
				t.Errorf("%d hostile filters and %d of the other user run for every packet: %+v", hostile, others, shared.Stats())
			}
			sameAsPrograms(t, shared, programs)
		})
	}
}

// users says that the first members are those of user 7, and the others those of user 9.
func users(first, others int) [][]uint32 {
	return append(slices.Repeat([][]uint32{{7}}, first), slices.Repeat([][]uint32{{9}}, others)...)
}

// ports makes programs for many ports each, longer than those of doubling.
func ports(t *testing.T, n, each int) []*bpf.Program {
	return repeat(n, func(i int) *bpf.Program { return alternatives(t, i, each) })
}

func spreads(t *testing.T, n, from int) []*bpf.Program {
	return repeat(n, func(i int) *bpf.Program { return spread(t, uint32(from+i), 100, 0, 0) })
}

// TestSharedMembers: a filter that several users have is indexed if one of them can have it.
func TestSharedMembers(t *testing.T) {
	const hostile = 140_000
	programs := repeat(hostile, func(i int) *bpf.Program { return distinct(t, i) })
	of := users(hostile, 0)
	for i := hostile - 1000; i < hostile; i++ {
		of[i] = []uint32{7, 9}
	}
	for _, m := range classify.NewShared(programs, of).Everywhere() {
		if m >= hostile-1000 {
			t.Fatalf("member %d of both users runs for every packet", m)
		}
	}
}

// TestPossible: a filter that contradicts itself, or has no program, matches nothing.
func TestPossible(t *testing.T) {
	both := func(a, b uint32) *bpf.Program {
		return bpftest.Assemble(t, netbpf.LoadAbsolute{Off: 20, Size: 2}, netbpf.JumpIf{Cond: netbpf.JumpEqual, Val: a, SkipFalse: 3},
			netbpf.LoadAbsolute{Off: 20, Size: 2}, netbpf.JumpIf{Cond: netbpf.JumpEqual, Val: b, SkipFalse: 1}, yes, no)
	}
	got := classify.NewClassifier([]*bpf.Program{
		both(1, 2), both(1, 1), nil, port(t, 5), bpftest.Assemble(t, no), bpftest.Assemble(t, yes), loop(t, 1),
	}).Possible()
	if want := []bool{false, true, false, true, false, true, true}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
