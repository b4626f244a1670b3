package table

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

// chase calls f for n keys that are not in the cache, and returns the time that it takes. Entries
// are in memory in the order of their making, and keys in another one. Which key is next depends
// on the last value, so that no two lookups overlap.
func chase(n int, keys []key, f func(k key) uint64) time.Duration {
	start := time.Now()
	i := 0
	for range n {
		i += int(f(keys[i])&none) + 1
		if i == len(keys) {
			i = 0
		}
	}
	return time.Since(start)
}

var none uint64 // 0, which the compiler does not know

// reader returns a function that reads 64 random bytes in a mapping of this size.
func reader(b *testing.B, bytes int) func(k key) uint64 {
	raw, use, err := mapPages(bytes, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = unix.Munmap(raw) })
	lines := asArray[[8]uint64](use)
	for i := range lines {
		lines[i][0] = uint64(i)
	}
	return func(k key) uint64 { return lines[k[0]%uint64(len(lines))][0] }
}

// BenchmarkLookup looks up entries that are not in the cache. x-read is the time of a lookup
// divided by that of one random read of 64 bytes in a mapping of the size of the table, which is
// measured at once after it. The folder compare has maps of libraries.
func BenchmarkLookup(b *testing.B) {
	all := keys()
	shuffled := slices.Clone(all)
	rand.New(rand.NewPCG(3, 4)).Shuffle(million, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	tab, err := New[key, value](million, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer tab.Close()
	for _, k := range all {
		v, _, _ := tab.Put(k)
		v[0] = k[0]
	}
	read := reader(b, tab.Memory())
	measure := func(b *testing.B, f func(k key) uint64) {
		runtime.GC()
		b.ResetTimer()
		took := chase(b.N, shuffled, f)
		b.StopTimer()
		b.ReportMetric(float64(took)/float64(chase(b.N, shuffled, read)), "x-read")
	}
	b.Run("read", func(b *testing.B) { measure(b, read) })
	b.Run("table", func(b *testing.B) {
		measure(b, func(k key) uint64 { return tab.Get(k)[0] })
		b.ReportMetric(float64(tab.Memory())/million, "B/entry")
	})
	b.Run("map", func(b *testing.B) {
		m := make(map[key]*value)
		for _, k := range all {
			m[k] = &value{k[0]}
		}
		measure(b, func(k key) uint64 { return m[k][0] })
	})
	b.Run("sync.Map", func(b *testing.B) {
		var m sync.Map
		for _, k := range all {
			m.Store(k, &value{k[0]})
		}
		measure(b, func(k key) uint64 {
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
