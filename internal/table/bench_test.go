package table

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
)

const million = 1_000_000

type key [2]uint64
type value [6]uint64 // 64 bytes with the key

func keys() []key {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]key, million)
	for i := range all {
		all[i] = key{random.Uint64(), random.Uint64()}
	}
	return all
}

// BenchmarkLookup looks up entries that are not in the cache, beside one random read of 64 bytes
// in a mapping of the size of the table.
func BenchmarkLookup(b *testing.B) {
	all := keys()
	var sink, none uint64
	shuffled := slices.Clone(all) // entries are in memory in the order of their making
	rand.New(rand.NewPCG(3, 4)).Shuffle(million, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	each := func(b *testing.B, f func(k key) uint64) {
		i := 0
		runtime.GC()
		for b.Loop() { // which key is next depends on the last value: no two lookups overlap
			sink = f(shuffled[i])
			i = (i+1)%million + int(sink&none)
		}
	}
	tab, err := New[key, value](million, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer tab.Close()
	for _, k := range all {
		v, _, _ := tab.Put(k)
		v[0] = k[0]
	}
	_, raw, err := mapPages(tab.Memory(), 0)
	if err != nil {
		b.Fatal(err)
	}
	lines := asArray[[8]uint64](raw)
	for i := range lines {
		lines[i][0] = uint64(i)
	}
	b.Run("read", func(b *testing.B) {
		n := len(lines)
		each(b, func(k key) uint64 { return lines[k[0]%uint64(n)][0] })
	})
	b.Run("table", func(b *testing.B) {
		each(b, func(k key) uint64 { return tab.Get(k)[0] })
		b.ReportMetric(float64(tab.Memory())/million, "B/entry")
	})
	b.Run("map", func(b *testing.B) {
		m := make(map[key]*value)
		for _, k := range all {
			m[k] = &value{k[0]}
		}
		each(b, func(k key) uint64 { return m[k][0] })
	})
	b.Run("sync.Map", func(b *testing.B) {
		var m sync.Map
		for _, k := range all {
			m.Store(k, &value{k[0]})
		}
		each(b, func(k key) uint64 {
			v, _ := m.Load(k)
			return v.(*value)[0]
		})
	})
}

// BenchmarkInsert fills tables; the cost of growing is part of it.
func BenchmarkInsert(b *testing.B) {
	all := keys()
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			tab, err := New[key, value](million, nil)
			if err != nil {
				b.Fatal(err)
			}
			for _, k := range all {
				tab.Put(k)
			}
			tab.Close()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/entry")
	})
	b.Run("map", func(b *testing.B) {
		for b.Loop() {
			m := make(map[key]value)
			for _, k := range all {
				m[k] = value{}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/entry")
	})
}
