// Package daemon is mapid without its command line: it listens on a Unix
// socket, asks the kernel for the credentials of each client, and turns each
// message into a call of the engine.
//
// A connection owns what its client creates. When the connection ends, for
// whatever reason, its flows are closed and its offline devices are deleted.
package daemon

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/account"
	"gomapi/internal/config"
	"gomapi/internal/engine"
	"gomapi/internal/filter"
)

// linger is how long a device stays open after its last flow, so that a
// sequence of short programs does not reopen it each time.
const linger = 5 * time.Second

// Options configure a daemon. A daemon needs Socket or Conn, and all other
// fields that may not be nil.
type Options struct {
	Socket     string        // path to listen on; empty with Conn
	Conn       *net.UnixConn // the only client of a private daemon, instead of a socket
	Config     *config.Config
	Drivers    *drivers.Registry
	Functions  *flib.Registry
	Compiler   filter.Compiler
	Log        logrus.FieldLogger
	Ready      func()                   // called when clients can connect; may be nil
	Interfaces func() ([]string, error) // interfaces that are up, for Config.Auto; may be nil
	// Resolve returns the primary name of an interface, given any of its names.
	// The interface may be down. Resolve may be nil.
	Resolve func(name string) (string, error)
	Version string // for people
	// Reload delivers configurations that replace Config. The daemon applies
	// their devices, limits, trusted peers and rights only. It may be nil.
	Reload <-chan *config.Config
}

// Run serves clients until ctx ends, or until the only client of a private
// daemon is gone. When it returns, everything has stopped: flows are closed,
// files flushed, the socket removed. The caller still owns the compiler.
func Run(ctx context.Context, o Options) error {
	d := &daemon{
		Options: o, clients: make(map[*client]struct{}), turned: make(map[string]int), lines: userLines{users: make(map[string]*lines)},
		accounts: account.New(account.ForMachine()),
	}
	d.setUsers(o.Config)
	d.engine = engine.New(engine.Options{
		Functions: o.Functions,
		Drivers:   o.Drivers,
		Compiler:  o.Compiler,
		Accounts:  d.accounts,
		Policy:    d.policyOf(o.Config),
		Linger:    linger,
		Log:       o.Log.Warnf,
		UserLog:   d.warnUser,
	})
	defer d.engine.Close()
	d.configure(o.Config)
	if o.Conn == nil {
		d.warnMissing(d.specs(o.Config.Devices))
		d.warnMissing(d.interfaces())
	}
	var reloading sync.WaitGroup
	defer reloading.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reloading.Go(func() { d.reload(ctx) })
	if o.Conn != nil {
		return d.servePrivate(ctx)
	}
	return d.serveSocket(ctx)
}

// servePrivate serves the only client of a private daemon.
func (d *daemon) servePrivate(ctx context.Context) error {
	c, err := d.welcome(ctx, d.Conn)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { d.engine.LeaveMemory(); c.hangUp() })
	defer stop()
	d.ready()
	c.serve(ctx)
	return nil
}

// serveSocket accepts clients until ctx ends.
func (d *daemon) serveSocket(ctx context.Context) error {
	l, err := listen(d.Socket)
	if err != nil {
		return err
	}
	defer l.close()
	stop := context.AfterFunc(ctx, l.stop)
	defer stop()
	d.ready()
	d.Log.Infof("listening on %s", d.Socket)
	err = d.accept(ctx, l)
	d.engine.LeaveMemory()
	d.hangUpAll()
	d.serving.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (d *daemon) ready() {
	if d.Ready != nil {
		d.Ready()
	}
}
