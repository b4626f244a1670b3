package table

import (
	"sync"
	"testing"

	"gomapi/internal/table/tabletest"
)

type (
	key   = tabletest.Key
	value = tabletest.Value
)

const million = tabletest.Million

// filled returns a table with an entry for each key.
func filled(b *testing.B, keys []key) *Table[key, value] {
	tab, err := New[key, value](len(keys), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(tab.Close)
	for _, k := range keys {
		v, _, err := tab.Put(k)
		if err != nil {
			b.Fatal(err)
		}
		v[0] = k[0]
	}
	return tab
}

// BenchmarkLookup compares the table with the maps of Go, and with one read of an entry at a known
// place in as much memory. The module in the folder compare adds maps of a library.
func BenchmarkLookup(b *testing.B) {
	keys := tabletest.Keys()
	walk, tab := tabletest.NewWalk(keys), filled(b, keys)
	read := tabletest.Reader(b, tab.Memory())
	b.Run("read", func(b *testing.B) { walk.Measure(b, read, read) })
	b.Run("table", func(b *testing.B) {
		walk.Measure(b, func(k key) uint64 { return tab.Get(k)[0] }, read)
		b.ReportMetric(float64(tab.Memory())/million, "B/entry")
	})
	b.Run("map", func(b *testing.B) {
		m := make(map[key]value)
		for _, k := range keys {
			m[k] = value{k[0]}
		}
		walk.Measure(b, func(k key) uint64 { return m[k][0] }, read)
	})
	b.Run("sync.Map", func(b *testing.B) {
		var m sync.Map
		for _, k := range keys {
			m.Store(k, &value{k[0]})
		}
		walk.Measure(b, func(k key) uint64 {
			v, _ := m.Load(k)
			return v.(*value)[0]
		}, read)
	})
}

// BenchmarkInsert fills tables; the cost of growing is part of it.
func BenchmarkInsert(b *testing.B) {
	keys := tabletest.Keys()
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			filled(b, keys).Close()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/entry")
	})
	b.Run("map", func(b *testing.B) {
		for b.Loop() {
			m := make(map[key]value)
			for _, k := range keys {
				m[k] = value{k[0]}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/entry")
	})
}
