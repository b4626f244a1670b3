package acceptance

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// resident returns the memory of its own, and that shared with programs, that the daemon has
// in RAM, in MiB (proc_pid_status(5)).
func resident(t *testing.T, d *mapid) (own, shared int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "RssAnon: %d", &own)
		fmt.Sscanf(line, "RssShmem: %d", &shared)
	}
	return own >> 10, shared >> 10
}

// hog takes memory in the daemon with one flow.
type hog func(ctx context.Context, f *mapi.Flow, n int) error

// hogs take results, and strings to search for.
var hogs = map[string]hog{
	"results": func(ctx context.Context, f *mapi.Flow, _ int) error {
		size, err := f.Apply(ctx, "PKTINFO", mapi.PktSize)
		for i := 0; i < 4 && err == nil; i++ {
			_, err = f.Apply(ctx, "DIST", size, 0, 16384, 1)
		}
		return err
	},
	"strings": func(ctx context.Context, f *mapi.Flow, n int) (err error) {
		for i := 0; i < 10 && err == nil; i++ {
			var list []string
			for k := range 1000 {
				list = append(list, fmt.Sprintf("%c%c%d-%d-%016d", 'a'+n%26, 'a'+k%26, n, i, k))
			}
			_, err = f.Apply(ctx, "STR_SEARCH", strings.Join(list, "||"), 0, 0)
		}
		return err
	},
}

// TestMemoryComesBack takes memory, ends, and looks whether the daemon, idle then, returns it
// to the system.
func TestMemoryComesBack(t *testing.T) {
	for name, take := range hogs {
		t.Run(name, func(t *testing.T) {
			testnet.Run(t, func(*testnet.NS) {
				d := start(t)
				own, shared := resident(t, d)
				release := hogAll(t, d, take)
				most, mostShared := resident(t, d)
				t.Logf("%d+%d MiB before, %d+%d at most", own, shared, most, mostShared)
				if most+mostShared < own+shared+64 {
					t.Error("the test takes no memory")
				}
				release()
				testenv.Until(t, "the memory comes back", func() bool {
					own, shared = resident(t, d)
					return own < 32 && shared < 1
				})
				t.Logf("%d+%d MiB afterwards", own, shared)
			})
		})
	}
}

// hogAll runs a hog on several connections, and returns a function that closes them.
func hogAll(t *testing.T, d *mapid, take hog) (release func()) {
	t.Helper()
	var clients []*mapi.Client
	var running sync.WaitGroup
	for range 4 {
		c := d.client()
		clients = append(clients, c)
		running.Go(func() {
			for n := range 50 {
				f, err := c.CreateFlow(t.Context(), testnet.B)
				if err == nil {
					err = take(t.Context(), f, n)
				}
				if err == nil {
					err = f.Connect(t.Context())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	return func() {
		for _, c := range clients {
			c.Close()
		}
	}
}
