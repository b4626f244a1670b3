package testenv

import (
	"os"
	"testing"
	"time"
)

// Patience is how long a test waits for what must come, before it fails. It is no
// measure of speed: what is waited for comes in milliseconds on a machine at rest.
const Patience = time.Minute

// Until waits for what comes without an event: a counter in shared memory, a file that
// grows, a process that is gone.
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, Patience)
		}
	}
}

// Within calls f, which must return before the patience is over. It is for what could
// hang; f may not end the test.
func Within(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(Patience):
		t.Fatalf("%s: still not after %v", what, Patience)
	}
}

// Bound ends a program that a test has started: with the test, or when it is still there
// long after all that the test waits for should have come. Reading from it then fails.
func Bound(t testing.TB, p *os.Process) {
	kill := func() { _ = p.Kill() }
	late := time.AfterFunc(2*Patience, kill)
	t.Cleanup(func() {
		late.Stop()
		kill()
	})
}
