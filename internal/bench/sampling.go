package main

import (
	"context"
	"fmt"

	"gomapi/internal/bench/plot"
	"gomapi/internal/testnet"
)

// samplePeriod is that of the paper.
const samplePeriod = 20_000

// sampling measures programs that take one packet in so many.
func (b *bench) sampling(ctx context.Context, ns *testnet.NS) (string, error) {
	rows, err := b.compete(ctx, newRoad(ns), team{
		name: "sampling", sizes: b.samplers,
		args: func(int) []string { return []string{"-period", fmt.Sprint(samplePeriod)} },
		task: func(int) string { return fmt.Sprintf("p %d", samplePeriod) },
		load: func(programs int) teamLoad {
			return teamLoad{want: func(packets uint64) []uint64 {
				want := make([]uint64, programs)
				for i := range want {
					want[i] = packets / samplePeriod
				}
				return want
			}}
		},
	})
	if err != nil {
		return "", err
	}
	x := plot.Axis{Label: "programs"}
	return section("Sampling programs", teamTable(rows), teamText+
		"Each program takes one packet in 20,000: SAMPLE and TO_BUFFER, read in a loop; with libpcap it gets all packets and counts.", b.streamLength, b.longRounds) +
		b.breaking(rows) + b.chart("sampling-idle", plot.Chart{Title: "Sampling programs: processors' idle time", X: x,
		Y: plot.Axis{Label: "idle, %", Max: 100}, Series: b.teamLines(rows, func(s *teamSide) []float64 { return s.idle })}) +
		b.chart("sampling-missed", plot.Chart{Title: "Sampling programs: packets that programs did not get", X: x,
			Y: plot.Axis{Label: "missed, %", Max: 100}, Series: b.teamLines(rows, func(s *teamSide) []float64 { return s.missed })}), nil
}
