package nic

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
)

type direction int

const (
	automatic direction = iota // both; in on loopback
	both
	in
	out
)

// options are the checked parameters of a device.
type options struct {
	ringBytes  int
	blockBytes int
	retire     int // maximum wait of a packet in a block, in ms; packet_mmap.rst: retire_blk_tov
	snap       int // bytes
	promisc    bool
	direction  direction
	stripVLAN  bool
	lowLatency bool
	timestamp  timestamp
	netns      string // name or path, "" for the thread's namespace
}

func defaults() options {
	return options{ringBytes: 64 << 20, blockBytes: 1 << 20, retire: 10, snap: drivers.MaxSnap, promisc: true}
}

// setters check and store a value. The error describes valid values.
var setters = map[string]func(o *options, value string) error{
	"ring_mb": func(o *options, v string) (err error) {
		o.ringBytes, err = number(v, 1, 8192, "MiB")
		o.ringBytes <<= 20
		return err
	},
	"block_kb": func(o *options, v string) (err error) {
		o.blockBytes, err = number(v, 16, 65536, "KiB")
		o.blockBytes <<= 10
		if page := os.Getpagesize(); err == nil && o.blockBytes%page != 0 {
			err = fmt.Errorf("must be a multiple of %d KiB, the page size", page>>10)
		}
		return err
	},
	"retire_ms": func(o *options, v string) (err error) {
		o.retire, err = number(v, 1, 1000, "milliseconds")
		return err
	},
	"snap": func(o *options, v string) (err error) {
		o.snap, err = number(v, minSnap, drivers.MaxSnap, "bytes")
		return err
	},
	"promisc": func(o *options, v string) (err error) {
		o.promisc, err = choice(v, map[string]bool{"1": true, "0": false})
		return err
	},
	"direction": func(o *options, v string) (err error) {
		o.direction, err = choice(v, map[string]direction{"both": both, "in": in, "out": out})
		return err
	},
	"vlan_tags": func(o *options, v string) (err error) {
		o.stripVLAN, err = choice(v, map[string]bool{"restore": false, "strip": true})
		return err
	},
	"latency": func(o *options, v string) (err error) {
		o.lowLatency, err = choice(v, map[string]bool{"efficient": false, "low": true})
		return err
	},
	"tstamp": func(o *options, v string) (err error) {
		o.timestamp, err = choice(v, map[string]timestamp{"sw": software, "hw": hardware, "hw-force": forced})
		return err
	},
	"netns": func(o *options, v string) error {
		if v == "" || v == "." || v == ".." || !filepath.IsAbs(v) && strings.Contains(v, "/") {
			return errors.New("want a name from \"ip netns\" or an absolute path")
		}
		o.netns = v
		return nil
	},
}

// minSnap leaves link, VLAN and IP headers complete.
const minSnap = 64

// CheckParam returns the error that Open would return for one parameter, nil if
// it is valid. It serves to check a configuration before any device is opened.
// Any goroutine may call it.
func CheckParam(key, value string) error {
	return new(options).set(key, value)
}

// CheckParams checks whether parameters that are each valid are consistent. It
// returns the key at fault. Any goroutine may call it.
func CheckParams(params map[string]string) (key string, err error) {
	o := defaults()
	for key, value := range params {
		if o.set(key, value) != nil {
			return "", nil // CheckParam reports this
		}
	}
	return "block_kb", o.checkRing()
}

func parseOptions(c drivers.Config) (options, error) {
	o := defaults()
	for _, key := range slices.Sorted(maps.Keys(c.Params)) {
		if err := o.set(key, c.Params[key]); err != nil {
			return o, mapierr.Wrap(mapierr.PcapOpen, "interface "+c.Device, err)
		}
	}
	if err := o.checkRing(); err != nil {
		return o, mapierr.Wrap(mapierr.PcapOpen, "interface "+c.Device, err)
	}
	return o, nil
}

// set checks and stores a parameter.
func (o *options) set(key, value string) error {
	set, ok := setters[key]
	if !ok {
		return fmt.Errorf("unknown parameter %s=%q; known are %s",
			key, value, strings.Join(slices.Sorted(maps.Keys(setters)), ", "))
	}
	if err := set(o, value); err != nil {
		return fmt.Errorf("parameter %s=%q: %w", key, value, err)
	}
	return nil
}

// checkRing checks that the two sizes are consistent.
func (o *options) checkRing() error {
	if o.blockBytes > o.ringBytes {
		return fmt.Errorf("block_kb=%d is larger than the ring, ring_mb=%d: want block_kb=%d at most",
			o.blockBytes>>10, o.ringBytes>>20, o.ringBytes>>10)
	}
	return nil
}

func number(v string, low, high int, unit string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("want a number of %s from %d to %d", unit, low, high)
	}
	return n, nil
}

func choice[T any](v string, choices map[string]T) (T, error) {
	c, ok := choices[v]
	if !ok {
		return c, fmt.Errorf("want %s", strings.Join(slices.Sorted(maps.Keys(choices)), " or "))
	}
	return c, nil
}
