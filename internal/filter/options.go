package filter

import "time"

// HelperOptions say how a Helper works. Zero values take the defaults.
type HelperOptions struct {
	Path        string        // program that becomes the child, by libpcap.ServeIfHelper; default this program
	Timeout     time.Duration // for one request; default 5 s
	Max         int           // children at once; default 4
	MemoryLimit uint64        // bytes that a child may use beyond those it starts with; default 1 GiB
}

func (o HelperOptions) withDefaults() HelperOptions {
	if o.Path == "" {
		o.Path = "/proc/self/exe"
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Max <= 0 {
		o.Max = 4
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 1 << 30
	}
	return o
}
