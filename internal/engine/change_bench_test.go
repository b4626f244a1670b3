package engine

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/datapath"
	"gomapi/internal/tracegen"
)

// threadTime is the CPU time of this thread, because other processes may use the machine.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkSlowestPacket runs flows with mixed filters, one packet at a time, also while
// flows are connected and merged, and reports the slowest packet. One operation is one
// packet, including reading the clock.
func BenchmarkSlowestPacket(b *testing.B) {
	filters := tracegen.Filters(10000, 1)
	pkts := generate(b, 64*drivers.MaxBatch)
	for i := range pkts {
		pkts[i].TS = ^uint64(0) // none is from before a connect
	}
	for _, name := range []string{"none", "coming", "merged"} {
		b.Run(fmt.Sprintf("%s/%d", name, len(filters)), func(b *testing.B) {
			bed := newBed(b)
			c := bed.client(0)
			come := func() {
				for _, f := range filters {
					c.connected(fn("BPF_FILTER", f), fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
				}
				bed.merged()
			}
			loop := func() *datapath.Loop { return bed.engine.devices[0].cur.loop }
			done := make(chan struct{})
			switch name {
			case "none": // delays caused by the machine
				c.connected(fn("PKT_COUNTER"))
				close(done)
			case "coming":
				c.connected(fn("PKT_COUNTER"))
				go func() { defer close(done); come() }()
			case "merged":
				come()
				close(done)
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var took []time.Duration
			b.ResetTimer()
			for i := 0; i < b.N || !closed(done); i++ {
				at := i % len(pkts)
				start := threadTime(b)
				loop().Batch(pkts[at : at+1])
				took = append(took, threadTime(b)-start)
				if i%512 == 511 {
					loop().Pause(200*time.Millisecond, -1)
				}
			}
			b.StopTimer()
			slices.Sort(took)
			slow, _ := slices.BinarySearch(took, 50*time.Microsecond)
			b.ReportMetric(float64(len(took)-slow), "over-50µs")
			b.ReportMetric(took[len(took)-1].Seconds()*1e6, "µs-slowest")
			b.ReportMetric(took[len(took)-1-len(took)/10000].Seconds()*1e6, "µs-99.99%")
			b.ReportMetric(took[len(took)/2].Seconds()*1e6, "µs-median")
			b.ReportMetric(float64(len(took)), "packets")
		})
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
