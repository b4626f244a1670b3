package main

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"gomapi/mapi"
)

// A reading is the value of the two counters.
type reading struct{ packets, bytes counter }

// A counter is a number and the time of its read in microseconds since 1970.
type counter struct{ value, at uint64 }

// zero is the reading at the start of the flow.
func (c *counting) zero() reading {
	start := counter{at: uint64(c.flow.Start().UnixMicro())}
	return reading{start, start}
}

// read reads the counters. On an error it returns last.
func (c *counting) read(last reading) (reading, error) {
	p, err := c.packets.Read()
	if err != nil {
		return last, err
	}
	b, err := c.bytes.Read()
	if err != nil {
		return last, err
	}
	return reading{counterOf(p), counterOf(b)}, nil
}

func counterOf(r mapi.Result) counter { return counter{r.Uint64(), r.TS} }

// perSecond is the growth of the counter since before as a rate, in units of
// 1/factor.
func (n counter) perSecond(before counter, factor uint64) uint64 {
	if n.at <= before.at || n.value <= before.value {
		return 0
	}
	hi, lo := bits.Mul64(n.value-before.value, factor*uint64(time.Second/time.Microsecond))
	us := n.at - before.at
	if hi >= us {
		return math.MaxUint64
	}
	rate, _ := bits.Div64(hi, lo, us)
	return rate
}

// line is the output of one interval.
type line struct {
	Time             time.Time `json:"time"`
	Packets          uint64    `json:"packets"` // since the start
	Bytes            uint64    `json:"bytes"`
	PacketsPerSecond uint64    `json:"packets_per_second"` // of the interval
	BitsPerSecond    uint64    `json:"bits_per_second"`
}

// Formats of the lines and of their heading.
const (
	headFormat = "%-12s %14s %18s %12s %15s\n"
	lineFormat = "%-12s %14d %18d %12d %15d\n"
)

func (c *counting) printHead() error {
	if c.json {
		return nil
	}
	_, err := fmt.Fprintf(c.stdout, headFormat, "time", "packets", "bytes", "packets/s", "bit/s")
	return err
}

func (c *counting) printLine(before, now reading) error {
	l := line{
		Time:             time.UnixMicro(int64(now.packets.at)),
		Packets:          now.packets.value,
		Bytes:            now.bytes.value,
		PacketsPerSecond: now.packets.perSecond(before.packets, 1),
		BitsPerSecond:    now.bytes.perSecond(before.bytes, 8),
	}
	if c.json {
		return writeJSON(c.stdout, l)
	}
	_, err := fmt.Fprintf(c.stdout, lineFormat, l.Time.Format("15:04:05.000"),
		l.Packets, l.Bytes, l.PacketsPerSecond, l.BitsPerSecond)
	return err
}

// total is the output at the end.
type total struct {
	Device  string  `json:"device,omitempty"`
	File    string  `json:"file,omitempty"`
	Filter  string  `json:"filter,omitempty"`
	Packets uint64  `json:"packets"`
	Bytes   uint64  `json:"bytes"`
	Seconds float64 `json:"seconds"`           // from connect to the last reading or the end of the file
	Partial bool    `json:"partial,omitempty"` // the file is incomplete or damaged
}

func (c *counting) printTotal(now reading, partial bool) error {
	took := max(0, time.UnixMicro(int64(now.packets.at)).Sub(c.flow.Start()))
	if end := c.flow.End(); !end.IsZero() {
		took = end.Sub(c.flow.Start())
	}
	t := total{
		Device: c.device, File: c.file, Filter: c.filter, Packets: now.packets.value, Bytes: now.bytes.value,
		Seconds: inSeconds(took.Round(time.Microsecond)), Partial: partial,
	}
	if c.json {
		return writeJSON(c.stdout, t)
	}
	text := packets(t.Packets) + ", " + counted(t.Bytes, "bytes")
	if c.file == "" {
		text = fmt.Sprintf("total: %s in %.3f s", text, t.Seconds)
	}
	if partial {
		text += ", ended before the end of the file"
	}
	_, err := fmt.Fprintln(c.stdout, text)
	return err
}
