package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"gomapi/internal/tracegen"
)

// filter is what the filtered measurements count.
const filter = "tcp and dst port 80"

// row is one measurement, made by the daemon and by tcpdump in turn.
type row struct {
	what           string
	filter         string
	target         float64 // ns per packet
	packets        uint64  // counted; both must agree
	mapid, tcpdump []time.Duration
}

// measure makes all measurements, round by round, so that a slow moment of the
// machine meets all of them alike.
func measure(ctx context.Context, d *daemon, path string, rounds int) ([]*row, error) {
	rows := []*row{
		{what: "PKT_COUNTER", target: 50},
		{what: `BPF_FILTER "` + filter + `", PKT_COUNTER`, filter: filter, target: 75},
	}
	for round := range rounds + 1 {
		for _, r := range rows {
			if err := r.once(ctx, d, path, round > 0); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

// once measures both programs; the first round only warms up.
func (r *row) once(ctx context.Context, d *daemon, path string, counts bool) error {
	cpu, packets, err := d.read(ctx, path, r.filter)
	if err != nil {
		return err
	}
	dumped, said, err := tcpdump(path, r.filter)
	if err != nil {
		return err
	}
	if packets != said {
		return fmt.Errorf("%s: mapid counts %d packets, tcpdump %d", r.what, packets, said)
	}
	r.packets = packets
	if counts {
		r.mapid = append(r.mapid, cpu)
		r.tcpdump = append(r.tcpdump, dumped)
	}
	return nil
}

// tcpdump counts packets and returns the CPU time of the whole process.
func tcpdump(path, filter string) (time.Duration, uint64, error) {
	args := []string{"-n", "-r", path, "--count"}
	if filter != "" {
		args = append(args, filter)
	}
	cmd := exec.Command("tcpdump", args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("tcpdump: %w: %s", err, &out)
	}
	var n uint64
	for line := range strings.Lines(out.String()) {
		if strings.HasSuffix(line, " packets\n") || strings.HasSuffix(line, " packet\n") {
			if _, err := fmt.Sscan(line, &n); err != nil {
				return 0, 0, fmt.Errorf("tcpdump says %q: %w", line, err)
			}
		}
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), n, nil
}

// perPacket returns minimum and median in nanoseconds per packet of the file.
func perPacket(times []time.Duration) (least, median float64) {
	sorted := slices.Sorted(slices.Values(times))
	ns := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / tracegen.BenchPackets }
	return ns(sorted[0]), ns(sorted[len(sorted)/2])
}
