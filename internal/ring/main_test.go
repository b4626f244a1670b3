package ring

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"gomapi/internal/leak"
)

// TestMain is leak.Main with a garbage collection first: a reader's memory is freed only
// when nobody uses it any more.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
	}
	if a, b, err := os.Pipe(); err == nil { // the runtime's poller stays forever
		a.Close()
		b.Close()
	}
	before, err := leak.Held()
	code := m.Run()
	if code == 0 && err == nil {
		runtime.GC()
		if err = goleak.Find(); err == nil {
			err = leak.Since(before)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "leak:", err)
		code = 1
	}
	os.Exit(code)
}
