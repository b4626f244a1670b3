package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"runtime/debug"
	"strings"

	"github.com/sirupsen/logrus"

	"gomapi/drivers/nic"
	"gomapi/internal/account"
	"gomapi/internal/config"
	"gomapi/internal/content"
	"gomapi/internal/daemon"
	"gomapi/internal/filter"
	"gomapi/internal/zone"
)

// start performs the action that the command line selects.
func start(ctx context.Context, o *options, args []string, stdout, stderr io.Writer) error {
	switch {
	case o.check:
		return check(o, stdout)
	case o.daemon && o.readyFD < 0:
		if err := preview(o, stderr); err != nil {
			return err
		}
		return detach(args)
	}
	parent := openReadyPipe(o.readyFD)
	err := serve(ctx, o, parent, stdout, stderr)
	parent.failed(err)
	return err
}

// preview prints the problems of the configuration while there is a terminal.
func preview(o *options, stderr io.Writer) error {
	s, err := configure(o)
	if err != nil {
		return err
	}
	for _, p := range s.problems {
		fmt.Fprintln(stderr, p)
	}
	return s.servable(o.group)
}

// serve runs the daemon until a signal arrives or its only client ends.
func serve(ctx context.Context, o *options, parent *readyPipe, stdout, stderr io.Writer) error {
	hup := catchHangUps(o.private())
	// The background process changes its working directory. Relative paths
	// still start at the old one. If that has been deleted, only absolute paths
	// work.
	o.dir, _ = os.Getwd()
	s, err := configure(o)
	if err != nil {
		return err
	}
	if err := s.servable(o.group); err != nil && !o.private() {
		return err
	}
	badZone := zone.Use()
	log := newLogger(s.logSetup(o, stdout, stderr))
	defer log.Close()
	if badZone != nil {
		log.Warn(badZone)
	}
	s.report(log)
	if !o.private() && os.Geteuid() == 0 {
		warnClosed(log, user.LookupGroup)
	}

	libs := newLibraries(builders())
	libs.log = log.Errorf
	apply, err := libs.prepare(s)
	if err != nil {
		return err
	}
	apply()
	boundMemory(s.Config)
	defer libs.close()
	opts, err := daemonOptions(o, s)
	if err != nil {
		return err
	}
	opts.Functions = libs.registry
	opts.Log = log
	opts.Ready = parent.ready
	if o.daemon {
		pid := background(o, log)
		defer pid.remove()
	}
	ctx, stop := untilSignal(ctx, o.private())
	r := newReloader(o, s, libs, log)
	opts.Reload = r.out
	defer r.start(ctx, hup, stop)()
	return runDaemon(ctx, opts, log)
}

// boundMemory makes the garbage collector work harder when the memory that all users may
// have is in use. GOMEMLIMIT takes precedence.
func boundMemory(c *config.Config) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(c.ApplyTo(account.ForMachine())[account.Memory].All)
	}
}

// runDaemon runs the daemon with its filter compiler.
func runDaemon(ctx context.Context, opts daemon.Options, log *logger) error {
	compiler := filter.NewHelper(filter.HelperOptions{})
	opts.Compiler = compiler
	log.Infof("mapid %s starts; function libraries: %s", version, strings.Join(opts.Config.Libs, ", "))
	if err := content.Sound(); err != nil {
		log.Warn(err)
	}
	err := errors.Join(daemon.Run(ctx, opts), compiler.Close())
	switch {
	case err == nil:
		log.Info("mapid ends")
	case !log.terminal: // main prints it there
		log.Errorf("mapid ends: %v", err)
	}
	return err
}

// report logs the problems found in the configuration.
func (s *setup) report(log *logger) {
	if s.note != "" {
		log.Info(s.note)
	}
	for _, p := range s.problems {
		level := logrus.ErrorLevel
		if p.Warning {
			level = logrus.WarnLevel
		}
		log.Logf(level, "%s:%d: %s", p.File, p.Line, p.Text)
	}
}

// warnClosed warns if only root can connect to the daemon.
func warnClosed(log logrus.FieldLogger, lookUp func(name string) (*user.Group, error)) {
	if _, err := lookUp("mapi"); errors.As(err, new(user.UnknownGroupError)) {
		log.Warn("only root can connect, because group mapi does not exist; " +
			"to admit users, run groupadd --system mapi, usermod -aG mapi USER, and restart mapid")
	}
}

func daemonOptions(o *options, s *setup) (daemon.Options, error) {
	opts := daemon.Options{
		Config:     s.Config,
		Drivers:    driverRegistry(s.Formats),
		Interfaces: nic.Interfaces,
		Resolve:    nic.Resolve,
		Version:    version,
	}
	var err error
	if o.private() {
		opts.Conn, err = inherited(o.serveFD)
	} else {
		opts.Socket, err = socketPath(o, s.Local)
	}
	return opts, err
}

// inherited returns the connection at descriptor fd, which the parent process
// opened.
func inherited(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "client")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("--serve-fd %d: %w", fd, err)
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("--serve-fd %d is not a Unix socket", fd)
	}
	return conn, nil
}

// background sets up a process without a terminal. The PID file is for people
// and scripts: the daemon works without it.
func background(o *options, log logrus.FieldLogger) *pidFile {
	if err := os.Chdir("/"); err != nil {
		log.Warnf("the working directory is unchanged: %v", err)
	}
	pid := &pidFile{path: pidPath(o)}
	if err := pid.claim(); err != nil {
		log.Warnf("no pid file: %v", err)
	}
	return pid
}
