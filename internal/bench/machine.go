package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// clockRate returns the processors' clock rate in GHz, 0 when it is not known. It is
// that of now: processors change it, and virtual ones hide that they do.
func clockRate() float64 {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "cpu MHz" {
			var mhz float64
			if _, err := fmt.Sscan(value, &mhz); err == nil {
				return mhz / 1000
			}
		}
	}
	return 0
}

// cycles are those of so many nanoseconds.
func cycles(ns float64) string {
	if rate := clockRate(); rate > 0 {
		return fmt.Sprintf("%.0f", ns*rate)
	}
	return "?"
}

// idleTime returns how long all processors together have been idle, since the start of
// the machine (proc_stat(5)). Its unit is 10 ms.
func idleTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var user, nice, system, idle, wait int64
	if _, err := fmt.Sscanf(string(text), "cpu %d %d %d %d %d", &user, &nice, &system, &idle, &wait); err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	return time.Duration(idle+wait) * 10 * time.Millisecond, nil
}

// An idleWatch measures which share of the processors' time is idle.
type idleWatch struct {
	start time.Time
	idle  time.Duration
}

func watchIdle() (idleWatch, error) {
	idle, err := idleTime()
	return idleWatch{start: time.Now(), idle: idle}, err
}

// percent is since the watch began.
func (w idleWatch) percent() (float64, error) {
	idle, err := idleTime()
	all := time.Since(w.start) * time.Duration(runtime.NumCPU())
	return min(100, 100*float64(idle-w.idle)/float64(all)), err
}
