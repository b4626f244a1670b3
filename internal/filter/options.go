package filter

import (
	"cmp"
	"time"
)

// MaxChildren is how many children a Helper has at a time unless its options say otherwise.
const MaxChildren = 4

// HelperOptions configure a Helper. Zero values mean the defaults.
type HelperOptions struct {
	Path        string        // program for the child, which calls libpcap.ServeIfHelper; default: this program
	Timeout     time.Duration // for one request; default 5 s
	Max         int           // children at a time; default MaxChildren
	MemoryLimit uint64        // bytes that a child may allocate in addition to those at its start; default 1 GiB
}

func (o HelperOptions) withDefaults() HelperOptions {
	return HelperOptions{
		Path:        cmp.Or(o.Path, "/proc/self/exe"),
		Timeout:     cmp.Or(o.Timeout, 5*time.Second),
		Max:         cmp.Or(o.Max, MaxChildren),
		MemoryLimit: cmp.Or(o.MemoryLimit, 1<<30),
	}
}
