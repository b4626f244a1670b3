// Package spin waits for something that comes within microseconds without going to
// sleep: to be woken takes longer than that.
package spin

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// spinTime is how long Until lasts at most. To be woken costs 30 to 100 us on
// machines whose CPUs go idle, and each call would wake both ends. It must last for
// the longest of the usual calls, that which has a filter compiled.
const spinTime = 200 * time.Microsecond

// spinning is held by the one goroutine of the process that spins. Where several
// could, there is other work for the CPUs.
var spinning atomic.Bool

// Until calls done until it returns true or 200 us are over. It returns at once
// where there is only one CPU, or while another goroutine of the process spins.
func Until(done func() bool) {
	if runtime.NumCPU() == 1 || !spinning.CompareAndSwap(false, true) {
		return
	}
	defer spinning.Store(false)
	for start := time.Now(); !done() && time.Since(start) < spinTime; {
		// The other end, or who works for it, may have been put on this very CPU.
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}
