package filter

import (
	"cmp"
	"time"
)

// HelperOptions say how a Helper works. Zero values take the defaults.
type HelperOptions struct {
	Path        string        // program that becomes the child, by libpcap.ServeIfHelper; default this program
	Timeout     time.Duration // for one request; default 5 s
	Max         int           // children at once; default 4
	MemoryLimit uint64        // bytes that a child may use beyond those it starts with; default 1 GiB
}

func (o HelperOptions) withDefaults() HelperOptions {
	return HelperOptions{
		Path:        cmp.Or(o.Path, "/proc/self/exe"),
		Timeout:     cmp.Or(o.Timeout, 5*time.Second),
		Max:         cmp.Or(o.Max, 4),
		MemoryLimit: cmp.Or(o.MemoryLimit, 1<<30),
	}
}
