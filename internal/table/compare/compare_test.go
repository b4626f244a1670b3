// Package compare measures lookups in tables beside those in the sharded maps of a library.
// Run it in its folder, which is a module of its own:
//
//	go test -bench .
package compare

import (
	"hash/maphash"
	"testing"

	cmap "github.com/orcaman/concurrent-map/v2"

	"gomapi/internal/table"
	"gomapi/internal/table/tabletest"
)

type (
	key   = tabletest.Key
	value = tabletest.Value
)

func BenchmarkLookup(b *testing.B) {
	keys := tabletest.Keys()
	walk := tabletest.NewWalk(keys)
	tab, err := table.New[key, value](len(keys), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer tab.Close()
	seed := maphash.MakeSeed()
	sharded := cmap.NewWithCustomShardingFunction[key, value](func(k key) uint32 { return uint32(maphash.Comparable(seed, k)) })
	plain := make(map[key]value)
	for _, k := range keys {
		v, _, err := tab.Put(k)
		if err != nil {
			b.Fatal(err)
		}
		v[0] = k[0]
		sharded.Set(k, value{k[0]})
		plain[k] = value{k[0]}
	}
	read := tabletest.Reader(b, tab.Memory())
	for _, m := range []struct {
		name string
		get  func(key) uint64
	}{
		{"read", read},
		{"table", func(k key) uint64 { return tab.Get(k)[0] }},
		{"map", func(k key) uint64 { return plain[k][0] }},
		{"concurrent-map", func(k key) uint64 { v, _ := sharded.Get(k); return v[0] }},
	} {
		b.Run(m.name, func(b *testing.B) { walk.Measure(b, m.get, read) })
	}
}
