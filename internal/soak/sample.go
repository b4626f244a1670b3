package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// A sample is the figures of a process at one moment.
type sample [figures]int64

// The figures.
const (
	resident = iota // bytes
	shared          // bytes of it in memory that programs have too
	descriptors
	threads
	mappings
	figures
)

var names = [figures]string{"resident MiB", "shared MiB", "descriptors", "threads", "mappings"}

func sampleOf(pid int) (s sample, err error) {
	proc := fmt.Sprintf("/proc/%d/", pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		var n int64
		_, _ = fmt.Sscan(value, &n)
		switch name {
		case "VmRSS":
			s[resident] = n >> 10
		case "RssShmem":
			s[shared] = n >> 10
		case "Threads":
			s[threads] = n
		}
	}
	fds, err := os.ReadDir(proc + "fd")
	if err != nil {
		return s, err
	}
	maps, err := os.ReadFile(proc + "maps")
	s[descriptors], s[mappings] = int64(len(fds)), int64(strings.Count(string(maps), "\n"))
	return s, err
}

// parts divides the samples, without those of the beginning, into consecutive parts.
func parts(samples []sample, n int) (list [][]sample) {
	samples = samples[len(samples)/10:]
	for i := range n {
		list = append(list, samples[i*len(samples)/n:(i+1)*len(samples)/n])
	}
	return list
}

// quantile returns a figure of which a part of the samples has no more.
func quantile(samples []sample, figure int, part float64) int64 {
	values := make([]int64, len(samples))
	for i, s := range samples {
		values[i] = s[figure]
	}
	slices.Sort(values)
	return values[int(part*float64(len(values)-1))]
}

// print writes, for each sixth of the time, the median and the most of each figure.
func print(w io.Writer, samples []sample) {
	if len(samples) < 12 {
		fmt.Fprintln(w, "too short for a table")
		return
	}
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(tab, "median, most\t1\t2\t3\t4\t5\t6\n")
	for figure, name := range names {
		fmt.Fprint(tab, name)
		for _, part := range parts(samples, 6) {
			fmt.Fprintf(tab, "\t%d, %d", quantile(part, figure, 0.5), quantile(part, figure, 1))
		}
		fmt.Fprintln(tab)
	}
	_ = tab.Flush()
}

// growth compares the medians of the last third with those of the first: a figure may be a
// quarter larger, and some more.
func growth(samples []sample) (problems []string) {
	if len(samples) < 12 {
		return nil
	}
	thirds := parts(samples, 3)
	for figure, name := range names {
		first, last := quantile(thirds[0], figure, 0.5), quantile(thirds[2], figure, 0.5)
		if last > first+first/4+8 {
			problems = append(problems, fmt.Sprintf("%s grow from %d to %d", name, first, last))
		}
	}
	return problems
}
