package table

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// quota counts, and refuses what exceeds its limit.
type quota struct{ taken, limit int }

var errQuota = errors.New("no more")

func (q *quota) Charge(n int) error {
	if q.limit > 0 && q.taken+n > q.limit {
		return errQuota
	}
	q.taken += n
	return nil
}
func (q *quota) Release(n int) { q.taken -= n }

// model is a table as one would write it without regard to cost.
type model struct {
	values map[uint32]uint64
	order  []uint32
}

func (m *model) use(k uint32) {
	if i := slices.Index(m.order, k); i >= 0 {
		m.order = append(slices.Delete(m.order, i, i+1), k)
	}
}

// play does what the bytes say to a table and to the model, and compares them.
func play(t *testing.T, script []byte, most int) {
	q := &quota{}
	tab, err := New[uint32, uint64](most, q)
	if err != nil {
		t.Fatal(err)
	}
	m := model{values: map[uint32]uint64{}}
	for i := 0; i+2 < len(script); i += 3 {
		k := uint32(script[i+1]) | uint32(script[i+2]&3)<<8
		_, known := m.values[k]
		switch script[i] % 8 {
		case 0, 1, 2, 3:
			v, created, err := tab.Put(k)
			if full := !known && len(m.values) == most; full != errors.Is(err, ErrFull) || err == nil && created == known {
				t.Fatalf("put %d: %v, %v", k, created, err)
			} else if full {
				continue
			}
			if m.use(k); !known {
				m.order = append(m.order, k)
			}
			*v += uint64(i)
			m.values[k] += uint64(i)
		case 4:
			if tab.Delete(k) != known {
				t.Fatalf("delete %d", k)
			}
			if delete(m.values, k); known {
				i := slices.Index(m.order, k)
				m.order = slices.Delete(m.order, i, i+1)
			}
		case 5:
			if v := tab.Use(k); known != (v != nil) || known && *v != m.values[k] {
				t.Fatalf("use %d", k)
			}
			m.use(k)
		case 6:
			if v := tab.Get(k); known != (v != nil) || known && *v != m.values[k] {
				t.Fatalf("get %d", k)
			}
		case 7:
			if k, v, ok := tab.Oldest(); ok != (len(m.order) > 0) || ok && (k != m.order[0] || *v != m.values[k]) {
				t.Fatalf("oldest: %d", k)
			}
		}
	}
	compare(t, tab, m)
	if q.taken != tab.Memory() {
		t.Errorf("charged %d of %d bytes", q.taken, tab.Memory())
	}
	for k := range tab.All() {
		if !tab.Delete(k) {
			t.Errorf("%d is not there", k)
		}
	}
	if tab.Len() != 0 {
		t.Errorf("%d entries are left", tab.Len())
	}
	tab.Close()
	tab.Close()
	if q.taken != 0 {
		t.Errorf("%d bytes are not released", q.taken)
	}
	if _, _, err := tab.Put(1); err != ErrClosed || tab.Get(1) != nil || tab.Delete(1) {
		t.Errorf("a closed table: %v", err)
	}
}

func compare(t *testing.T, tab *Table[uint32, uint64], m model) {
	t.Helper()
	var order []uint32
	for k, v := range tab.All() {
		if order = append(order, k); *v != m.values[k] {
			t.Errorf("%d is %d, want %d", k, *v, m.values[k])
		}
	}
	if !slices.Equal(order, m.order) || tab.Len() != len(m.order) {
		t.Errorf("%d entries in order %d, want %d", tab.Len(), order, m.order)
	}
}

func TestModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		script := make([]byte, random.IntN(6000))
		for i := range script {
			script[i] = byte(random.Uint32())
		}
		play(t, script, 1+random.IntN(1024))
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 1, 0, 4, 1, 0, 7, 0, 0}, 3)
	f.Fuzz(func(t *testing.T, script []byte, most int) { play(t, script, 1+(most&1023)) })
}

// A table that grows moves at most MaxMoves entries per insert, finds all entries meanwhile, and
// does not move the values.
func TestGrowth(t *testing.T) {
	const n = 200_000
	tab, err := New[uint64, [6]uint64](n, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	values := make([]*[6]uint64, n)
	steps := 0
	for i := range uint64(n) {
		before := inOld(tab)
		v, _, err := tab.Put(i)
		if err != nil {
			t.Fatal(err)
		}
		values[i], v[0] = v, i
		if after := inOld(tab); before > 0 && before-after > MaxMoves {
			t.Fatalf("insert %d has moved %d entries", i, before-after)
		} else if before != after {
			steps++
		}
		if j := i * 7919 % (i + 1); tab.Get(j) != values[j] || values[j][0] != j {
			t.Fatalf("entry %d is lost after %d", j, i)
		}
	}
	if steps == 0 {
		t.Error("the table has not grown")
	}
}

// An entry that is deleted while the index grows is in neither index any more.
func TestDeleteWhileGrowing(t *testing.T) {
	const n = 20_000
	tab, err := New[uint64, uint64](n, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	deleted := make(map[uint64]bool)
	for i := range uint64(n) {
		if _, _, err := tab.Put(i); err != nil {
			t.Fatal(err)
		}
		if j := i * 7919 % (i + 1); len(tab.old.groups) > 0 {
			if tab.Get(j) != nil == deleted[j] || tab.Delete(j) == deleted[j] || tab.Get(j) != nil {
				t.Fatalf("entry %d: deleted before: %v", j, deleted[j])
			}
			deleted[j] = true
		}
	}
	if len(deleted) < 100 {
		t.Errorf("%d entries were deleted", len(deleted))
	}
}

// Near a million entries of 64 bytes take less than 100 bytes each, also while the index grows.
func TestMemory(t *testing.T) {
	const n = 1_000_000
	tab, err := New[[2]uint64, [6]uint64](2*n, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	for i := range uint64(n + n/10) {
		if _, _, err := tab.Put([2]uint64{i, 1}); err != nil {
			t.Fatal(err)
		}
		if each := tab.Memory() / tab.Len(); i > n/2 && each >= 100 {
			t.Fatalf("%d entries take %d bytes each", tab.Len(), each)
		}
	}
}

// An index that is nearly full finds all refs, and after they have come and gone it is as new.
func TestIndex(t *testing.T) {
	var x index
	if err := x.open(64); err != nil {
		t.Fatal(err)
	}
	defer x.close()
	random := rand.New(rand.NewPCG(1, 2))
	hashes := make([]uint32, 1, 64*perGroup)
	for x.fits(len(hashes), 32) {
		hashes = append(hashes, random.Uint32())
		x.add(refer(uint32(len(hashes)-1), hashes[len(hashes)-1]), hashes[len(hashes)-1])
	}
	for round := range 2000 {
		i := 1 + random.IntN(len(hashes)-1)
		if !x.remove(refer(uint32(i), hashes[i]), hashes[i]) {
			t.Fatalf("round %d: ref %d is lost", round, i)
		}
		hashes[i] = random.Uint32()
		x.add(refer(uint32(i), hashes[i]), hashes[i])
	}
	for i, hash := range hashes[1:] {
		if r := refer(uint32(i+1), hash); !x.remove(r, hash) || x.remove(r, hash) {
			t.Fatalf("ref %d is not there once", i+1)
		}
	}
	for i, g := range x.groups {
		if g.n != 0 || g.over != 0 {
			t.Errorf("group %d: %d refs, %d behind", i, g.n, g.over)
		}
	}
}

// inOld counts the entries that are still to be moved; at most as many as matter.
func inOld(t *Table[uint64, [6]uint64]) (n int) {
	for at := t.moved; at < len(t.old.groups) && n <= 2*MaxMoves; at++ {
		n += int(t.old.groups[at].n)
	}
	return n
}

// A table in which entries come and go does not grow, and does not become slow.
func TestComingAndGoing(t *testing.T) {
	tab, err := New[uint64, uint64](1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	for i := range uint64(1_000_000) {
		if _, _, err := tab.Put(i); err != nil {
			t.Fatal(err)
		}
		if i >= 1000 && !tab.Delete(i-1000) {
			t.Fatalf("entry %d is lost", i-1000)
		}
	}
	if n := perGroup * len(tab.index.groups); tab.Len() != 1000 || n > 1300 {
		t.Errorf("%d entries in %d slots", tab.Len(), n)
	}
}

// A quota that refuses memory leaves the table usable.
func TestRefusal(t *testing.T) {
	q := &quota{limit: 256 << 10}
	tab, err := New[uint64, uint64](1<<20, q)
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	for ; err == nil; n++ {
		_, _, err = tab.Put(n)
	}
	if n--; err != errQuota || q.taken > q.limit || n < 1000 {
		t.Fatalf("%d entries, %d bytes, %v", n, q.taken, err)
	}
	for i := range n {
		if tab.Get(i) == nil {
			t.Fatalf("entry %d is lost", i)
		}
	}
	if !tab.Delete(5) {
		t.Error("entry 5 is lost")
	}
	if _, created, err := tab.Put(n); !created || err != nil {
		t.Errorf("put in place of another one: %v", err)
	}
	for i := range 100_000 { // in turn, without memory for another index
		k := n + 1 + uint64(i)
		oldest, _, _ := tab.Oldest()
		if !tab.Delete(oldest) {
			t.Fatalf("entry %d is lost", oldest)
		}
		if _, _, err := tab.Put(k); err != nil {
			t.Fatalf("put %d in place of another one: %v", i, err)
		}
	}
	tab.Close()
	if q.taken != 0 {
		t.Errorf("%d bytes are not released", q.taken)
	}
	if _, err := New[struct{}, struct{}](1, nil); err == nil {
		t.Error("entries without bytes are accepted")
	}
	if _, err := New[uint64, uint64](10, &quota{limit: 1}); err != errQuota {
		t.Errorf("a table without memory: %v", err)
	}
}

func TestTypes(t *testing.T) {
	type inner struct {
		_ [4]uint16
		_ *int
	}
	if _, err := New[string, int](1, nil); !errors.Is(err, ErrPointers) {
		t.Errorf("string: %v", err)
	}
	if _, err := New[int, [2]inner](1, nil); !errors.Is(err, ErrPointers) {
		t.Errorf("pointer: %v", err)
	}
	if _, err := New[[2]float64, int](1, nil); !errors.Is(err, ErrFloats) {
		t.Errorf("floats: %v", err)
	}
	for _, most := range []int{0, -1, MaxEntries + 1} {
		if _, err := New[int, int](most, nil); err == nil {
			t.Errorf("a maximum of %d is accepted", most)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	tab, err := New[[5]uint32, [6]uint64](1000, &quota{})
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	i := uint32(0)
	if n := testing.AllocsPerRun(1000, func() {
		i++
		k := [5]uint32{i, i}
		if v, _, err := tab.Put(k); err != nil {
			oldest, _, _ := tab.Oldest()
			tab.Delete(oldest)
		} else {
			v[0]++
		}
		tab.Use(k)
		tab.Get([5]uint32{})
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
