// Package spin busy-waits for events that occur within microseconds, because a
// wake-up from sleep takes longer.
package spin

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// spinTime is the maximum duration of Until. A wake-up takes 30 to 100 us on
// machines whose CPUs go idle, and each call would wake both ends. spinTime
// covers the longest of the usual calls, which compiles a filter.
const spinTime = 200 * time.Microsecond

// spinning is held by the one goroutine of the process that spins. If several
// could spin, the CPUs have other work.
var spinning atomic.Bool

// Until calls done until it returns true or 200 us have passed. It returns at
// once if there is only one CPU, or while another goroutine of the process
// spins.
func Until(done func() bool) {
	if runtime.NumCPU() == 1 || !spinning.CompareAndSwap(false, true) {
		return
	}
	defer spinning.Store(false)
	for start := time.Now(); !done() && time.Since(start) < spinTime; {
		// The other end, or a thread that works for it, may be scheduled on
		// this CPU.
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}
