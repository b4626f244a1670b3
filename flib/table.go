package flib

import "gomapi/internal/table"

// A Table is a hash table outside Go's heap; see package table.
type Table[K comparable, V any] = table.Table[K, V]

// NewTable makes a table of up to most entries for an instance. Its memory counts for the
// flow's user; Put fails with 3084 when the user has too much. The table belongs to the
// goroutine that runs the instance. It is closed after the instance, if the instance does not
// close it before.
func NewTable[K comparable, V any](env Env, most int) (*Table[K, V], error) {
	t, err := table.New[K, V](most, env.Quota())
	if err != nil {
		return nil, err
	}
	env.AtClose(t.Close)
	return t, nil
}
