package acceptance

import (
	"context"
	"runtime"
	"testing"

	"gomapi/internal/books"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// atRest waits until the device has received n packets, none is in transit and
// the books balance. It returns the books.
func atRest(t *testing.T, c *mapi.Client, n uint64) mapi.Books {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		b, err := c.Books(ctx, testnet.B)
		if err != nil {
			t.Fatal(err)
		}
		if b.In == n && b.Moved == 0 && line(t, b, books.Waiting) == 0 && b.Balances() {
			return b
		}
		if ctx.Err() != nil || b.In > n {
			t.Fatalf("%d packets reached the device: %+v", n, b)
		}
		runtime.Gosched() // counters change without an event, by design
	}
}

// checkTally compares the packets that a reader missed with the losses: those
// for all readers, and those for this one.
func checkTally(t *testing.T, name string, sent, lostForAll uint64, y tally) {
	t.Helper()
	t.Logf("%s: %d seen, %d lost", name, y.Seen, y.Lost)
	if y.Wrong != "" {
		t.Errorf("%s: %s", name, y.Wrong)
	}
	if missed := sent - y.Seen; missed != lostForAll+y.Lost {
		t.Errorf("%s: %d of %d packets are missing, %d were lost for all and %d for it", name, missed, sent, lostForAll, y.Lost)
	}
}

// line returns a line of the books, which must exist.
func line(t *testing.T, b mapi.Books, name string) uint64 {
	t.Helper()
	for _, l := range b.Out {
		if l.Name == name {
			return l.Value
		}
	}
	t.Fatalf("no line %q in %+v", name, b)
	return 0
}

// checkBooks compares the books of all flows and functions with those of the
// device: they must be exact and consistent.
func checkBooks(t *testing.T, c *mapi.Client, device mapi.Books) {
	t.Helper()
	delivered := line(t, device, books.Delivered)
	flows, err := c.Flows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(flows) != 3 {
		t.Errorf("%d flows, want those of three readers", len(flows))
	}
	for _, f := range flows {
		if b := f.Books; b == nil || b.Moved != 0 || b.Missing() != 0 || b.In != delivered {
			t.Errorf("flow %d, to which %d packets were delivered: %+v", f.FD, delivered, b)
		}
		functions, err := c.FlowFunctions(t.Context(), f.FD)
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range functions {
			if b := fn.Books; b == nil || b.Moved != 0 || b.Missing() != 0 || b.In != delivered {
				t.Errorf("%s of flow %d, which %d packets reached: %+v", fn.Name, f.FD, delivered, b)
			}
		}
	}
}
