package testenv

import (
	"os"
	"testing"
	"time"
)

// Patience is the maximum wait for an event before a test fails. It does not
// measure speed: on an idle machine the event takes milliseconds.
const Patience = time.Minute

// Until polls for a condition without an event: a counter in shared memory, a
// growing file, a process that ends.
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, Patience)
		}
	}
}

// Within calls f, which must return within Patience. It is for calls that could
// hang; f must not end the test.
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

// Bound kills a program that a test has started: at the end of the test, or if
// the program runs much longer than any wait of the test. A read from the
// program then fails.
func Bound(t testing.TB, p *os.Process) {
	kill := func() { _ = p.Kill() }
	late := time.AfterFunc(2*Patience, kill)
	t.Cleanup(func() {
		late.Stop()
		kill()
	})
}
