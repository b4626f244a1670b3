// Mapid is the monitoring daemon. It owns the capture devices, runs the
// functions that programs apply to flows of packets, and shares the results
// through shared memory. Programs connect to it over a Unix socket by means of
// package mapi.
//
// This package only assembles the parts: flags (main.go), configuration and
// socket (setup.go), drivers and libraries of this build (plugins.go), log
// (logging.go, outlet.go, sinks.go), background process (daemonize.go,
// pidfile.go), signals (signals.go), reload of the configuration (reload.go),
// and the call of daemon.Run (serve.go).
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gomapi/internal/config"
	"gomapi/internal/filter/libpcap"
)

// version is set by the linker: -X main.version=1.2.3.
var version = "devel"

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	libpcap.ServeIfHelper()
	collectEarly()
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// collectEarly starts a garbage collection when garbage reaches a third of the
// memory in use, unless GOGC is set. Packets create no garbage, so this costs
// little and saves memory when tens of thousands of flows are set up.
func collectEarly() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(33)
	}
}

// options are the command line.
type options struct {
	daemon  bool
	group   int
	syslog  bool
	config  string // list of files; empty: the usual paths
	builtin bool   // use the built-in configuration, no file
	socket  string // empty: the usual path
	pidFile string // empty: the usual path
	check   bool
	dir     string // base of relative paths; empty: the working directory
	serveFD int    // serve one client on this descriptor; -1: listen on a socket
	readyFD int    // descriptor to the process that waits for the start; -1: none
}

// private reports whether this daemon serves only one client.
func (o *options) private() bool { return o.serveFD >= 0 }

// A usageError is a mistake in the command line.
type usageError struct{ error }

// errReported ends the program with an error that is already printed.
var errReported = errors.New("reported")

// run executes the command line args, which starts with the program name, and
// returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	cmd := newCommand(args, stdout, stderr)
	err := cmd.Execute()
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return exitFailure
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "mapid: %v\nTry \"mapid --help\".\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "mapid: %v\n", err)
	return exitFailure
}

func newCommand(args []string, stdout, stderr io.Writer) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:           "mapid",
		Short:         "Network monitoring daemon",
		Long:          help,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, rest []string) error {
			if len(rest) > 0 {
				return usageError{fmt.Errorf("unexpected argument %q", rest[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.valid(cmd.Flags().Changed); err != nil {
				return usageError{err}
			}
			return start(cmd.Context(), &o, args, stdout, stderr)
		},
	}
	cmd.SetArgs(args[1:])
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetVersionTemplate("mapid {{.Version}}\n")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{inWords(err)} })
	addFlags(cmd, &o)
	return cmd
}

const help = `mapid captures packets from network interfaces and capture files and runs the
functions that monitoring programs apply to them. By default it stays in the
foreground and writes its messages to standard error.

Without a configuration file it serves every interface that is up.

Signals:
  SIGTERM, SIGINT, SIGQUIT  end mapid
  SIGHUP                    read the configuration again; flows on unchanged devices
                            continue; ends mapid if its terminal has hung up;
                            ignored under nohup`

func addFlags(cmd *cobra.Command, o *options) {
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVarP(&o.daemon, "daemon", "d", false, "run in the background and write a pid file")
	f.IntVarP(&o.group, "devgroup", "g", 0, "serve only the devices with devgroup=`N`, 1 to 9999; 0: those without devgroup")
	f.BoolVarP(&o.syslog, "syslog", "s", false, "send messages to syslog, facility local1")
	f.StringVar(&o.config, "config", "", "read the configuration `FILE`, or the first readable one of a list separated by colons")
	f.BoolVar(&o.builtin, "builtin", false, "ignore configuration files and serve every interface that is up")
	f.StringVar(&o.socket, "socket", "", "listen on the Unix socket `PATH`")
	f.StringVar(&o.pidFile, "pidfile", "", "with --daemon, write the process number to `PATH`")
	f.BoolVar(&o.check, "check", false, "print the mistakes in the configuration and exit: 0 if there are none, else 1")
	f.IntVar(&o.serveFD, "serve-fd", -1, "serve the one client on descriptor `N`")
	f.IntVar(&o.readyFD, "ready-fd", -1, "report the start to descriptor `N`")
	f.BoolP("version", "v", false, "print the version and exit")
	f.BoolP("help", "h", false, "print this help and exit")
	for _, name := range []string{"serve-fd", "ready-fd"} {
		f.Lookup(name).Hidden = true
	}
}

// inWords replaces the message of strconv about a bad value by a description of
// valid values.
func inWords(err error) error {
	var number *strconv.NumError
	if !errors.As(err, &number) {
		return err
	}
	want := "want a whole number"
	switch {
	case number.Func == "ParseBool":
		want = "want true or false"
	case errors.Is(err, strconv.ErrRange):
		want = "the number is out of range"
	}
	return errors.New(strings.TrimSuffix(err.Error(), number.Error()) + want)
}

// valid rejects values and combinations that make no sense.
func (o *options) valid(given func(flag string) bool) error {
	switch {
	case o.group < 0 || o.group > config.MaxGroup:
		return fmt.Errorf("invalid device group %d: use 1 to %d, or 0 for the default daemon",
			o.group, config.MaxGroup)
	case given("socket") && o.socket == "":
		return errors.New("the path of the socket is empty")
	case given("pidfile") && (o.pidFile == "" || !o.daemon):
		return errors.New("--pidfile needs a path and --daemon")
	case o.builtin && o.config != "":
		return errors.New("--builtin and --config exclude each other")
	case o.private() && (o.daemon || o.socket != ""):
		return errors.New("--serve-fd excludes --daemon and --socket")
	}
	return nil
}
