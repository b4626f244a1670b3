package engine

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/account"
	"gomapi/internal/foreign"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/mapierr"
	"gomapi/internal/testenv"
)

// A user whose descriptors cannot be closed gets no more connections, because each one that ends
// adds its own; others do. It gets some when they are closed.
func TestConnectionsWhileClosingsLinger(t *testing.T) {
	b := newBed(t)
	c := b.client(1000)
	var lets []func()
	for range 2 {
		f, let := foreigntest.Lingering(t)
		lets = append(lets, let)
		last := duplicate(t, int(f.Fd()))
		f.Close() // before, so that this close is not the one that lingers
		c.Discard(last)
	}
	for range 256 {
		c.Discard(duplicate(t, 0))
	}
	if _, err := b.engine.NewSession(Owner{UID: 1000}, nil); mapierr.CodeOf(err, 0) != mapierr.AuthFailed {
		t.Errorf("one more connection: %v", err)
	}
	b.client(1001)
	for _, let := range lets {
		let()
	}
	testenv.Until(t, "the user gets a connection", func() bool {
		s, err := b.engine.NewSession(Owner{UID: 1000}, nil)
		if err == nil {
			s.Close()
		}
		return err == nil
	})
}

func duplicate(t *testing.T, fd int) int {
	t.Helper()
	fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// failing is a driver with a defect.
type failing struct{ drivers.FileDriver }

func (failing) OpenFile(context.Context, *foreign.File) (drivers.Device, error) { panic("a defect") }

// A driver that fails leaves no file open.
func TestFileOfAFailingDriver(t *testing.T) {
	b := newBed(t)
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, failing{})
	c := b.client(1000)
	f, err := c.OpenFile(duplicate(t, 0), "x")
	if err != nil {
		t.Fatal(err)
	}
	before := c.user.account.Taken(account.Memory)
	if _, err := c.CreateOffline(t.Context(), f, "x", drivers.FormatPCAP); err == nil {
		t.Error("no error")
	}
	testenv.Until(t, "nothing is on the account", func() bool {
		return c.user.account.Taken(account.Memory) == before && c.user.account.Taken(account.OfflineFiles) == 0
	})
}
