package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// filter is what the filtered measurements count.
const filter = "tcp and dst port 80"

// fileRow is one measurement, made by the daemon and by tcpdump in turn.
type fileRow struct {
	what           string
	filter         string
	target         float64 // ns per packet
	packets        uint64  // counted; both must agree
	mapid, tcpdump []time.Duration
}

// file measures counting the packets of the file. Round follows round, so that a
// slow moment of the machine meets all measurements alike.
func (b *bench) file(ctx context.Context) (string, error) {
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return "", err
	}
	defer d.stop()
	rows := []*fileRow{
		{what: "PKT_COUNTER", target: 50},
		{what: `BPF_FILTER "` + filter + `", PKT_COUNTER`, filter: filter, target: 75},
	}
	for round := range b.rounds + 1 {
		progress("counting in a file, round %d of %d", round, b.rounds)
		for _, r := range rows {
			if err := r.once(ctx, d, b.trace, round > 0); err != nil {
				return "", err
			}
		}
	}
	return fileSection(rows, b.rounds), nil
}

// once measures both programs; the first round only warms up.
func (r *fileRow) once(ctx context.Context, d *daemon, path string, counts bool) error {
	cpu, packets, err := d.read(ctx, path, r.filter)
	if err != nil {
		return err
	}
	dumped, said, err := tcpdumpFile(path, r.filter)
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

// read lets the daemon count the packets of the file and returns the CPU time
// that it used from start to end, and the packets.
func (d *daemon) read(ctx context.Context, path, filter string) (time.Duration, uint64, error) {
	dev, err := d.client.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
	if err != nil {
		return 0, 0, err
	}
	defer dev.Delete(ctx)
	packets, err := flow(ctx, d.client, dev.Name(), filter, "PKT_COUNTER")
	if err != nil {
		return 0, 0, err
	}
	before, err := d.cpu()
	if err != nil {
		return 0, 0, err
	}
	if err := dev.Start(ctx); err != nil {
		return 0, 0, err
	}
	if err := dev.Wait(ctx); err != nil {
		return 0, 0, err
	}
	after, err := d.cpu()
	if err != nil {
		return 0, 0, err
	}
	n, err := packets.Uint64()
	return after - before, n, err
}

// tcpdumpFile counts packets and returns the CPU time of the whole process.
func tcpdumpFile(path, filter string) (time.Duration, uint64, error) {
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

func fileSection(rows []*fileRow, rounds int) string {
	t := newTable("functions of the flow", "packets", "mapid", "tcpdump --count", "mapid / tcpdump", "target", "cycles: mapid", "tcpdump")
	for _, r := range rows {
		m, d := perPacket(r.mapid), perPacket(r.tcpdump)
		t.row(r.what, r.packets, m.String(), d.String(), fmt.Sprintf("%.2f", m.median/d.median), fmt.Sprintf("%.0f", r.target), cycles(m.median), cycles(d.median))
	}
	return section("Counting in a file", t,
		"%d packets, in the page cache, one pass. CPU time in nanoseconds per packet of the file, median (minimum) of %d rounds; "+
			"of mapid from start to end of the file, of tcpdump of the whole process. "+
			"Cycles at the clock rate that /proc/cpuinfo shows.", tracegen.BenchPackets, rounds)
}

// perPacket is in nanoseconds per packet of the file.
func perPacket(times []time.Duration) figures {
	ns := make([]float64, len(times))
	for i, t := range times {
		ns[i] = float64(t.Nanoseconds()) / tracegen.BenchPackets
	}
	return summarize(ns)
}
