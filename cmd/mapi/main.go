// Mapi is the command line tool for MAPI. Its sub-commands query a daemon or
// measure with it: info shows what mapid offers, count counts packets, live or
// in a capture file, dump prints packets or writes them to a file, apply
// applies any functions and prints their results, stats shows where the packets
// went.
//
// The tool does not read packets itself. It is a client of mapid and uses only
// the public package. If no daemon runs, and for capture files, it starts a
// private mapid for the call (private.go); connect.go selects the daemon. Each
// sub-command has a file of its own; further files of a sub-command start with
// the same name. All write through output.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"gomapi/internal/zone"
)

// version is set by the linker: -X main.version=1.2.3.
var version = "devel"

func main() {
	if err := zone.Use(); err != nil {
		fmt.Fprintf(os.Stderr, "mapi: %v\n", err)
	}
	ctx, stop := untilSignal(context.Background())
	code := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// untilSignal returns a context that ends with the first signal to stop. The
// second signal kills the process, in case the first has no effect.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	// A write fails if the reader of our output has gone away (output.go).
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	signals := []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGQUIT}
	if !signal.Ignored(unix.SIGHUP) { // nohup ignores it
		signals = append(signals, unix.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// A tool is one run of the program: the flags of all sub-commands, and the
// outputs.
type tool struct {
	name     string // name that it was called by
	json     bool
	deadline time.Duration // of the whole call; 0: none
	socket   string        // of the daemon; empty: the usual paths
	private  bool          // always use a private daemon
	pipe     string        // input pipe; empty: none
	stdout   io.Writer
	stderr   io.Writer
	late     chan error             // why the call is given up
	lastly   atomic.Pointer[func()] // printed before a call is given up; may be nil
	release  func()                 // releases what limit holds
}

// run executes the command line args, which starts with the program name, and
// returns the exit code. It returns at most one second after the end of ctx or
// the deadline: a hanging write cannot be interrupted, and ends with the
// process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	t := &tool{stdout: output{stdout}, stderr: stderr, late: make(chan error, 1), release: func() {}}
	code := make(chan int, 1)
	go func() { code <- t.execute(ctx, args) }()
	select {
	case code := <-code:
		return code
	case err := <-t.late:
		said := make(chan struct{})
		go func() {
			defer close(said)
			if say := t.lastly.Load(); say != nil {
				(*say)()
			}
			t.complain(nil, err)
		}()
		select {
		case <-said:
		case <-time.After(lastWord):
		}
		return exitCode(err)
	}
}

// execute is run without the time limit.
func (t *tool) execute(ctx context.Context, args []string) int {
	root := t.command()
	t.name = filepath.Base(args[0])
	if text, ok := originalHelp[t.name]; ok {
		root.SetHelpFunc(func(*cobra.Command, []string) { fmt.Fprint(t.stdout, text) })
	}
	words, err := original(args)
	var cmd *cobra.Command
	if err == nil {
		root.SetArgs(words)
		defer func() { t.release() }()
		cmd, err = root.ExecuteContextC(ctx)
	}
	err = t.explain(ctx, err)
	t.complain(cmd, err)
	return exitCode(err)
}

const (
	// patience is how long a call may take to finish after its time is up.
	patience = 800 * time.Millisecond
	// lastWord is how long a call may take after patience to report why it did
	// not finish.
	lastWord = 100 * time.Millisecond
)

// limit bounds the call by its deadline and gives it up if it does not end in
// time after the deadline or a signal.
func (t *tool) limit(cmd *cobra.Command) {
	ctx, cancel := cmd.Context(), func() {}
	if t.deadline > 0 {
		ctx, cancel = context.WithTimeout(ctx, t.deadline)
	}
	unwatch := context.AfterFunc(ctx, func() {
		why := fmt.Errorf("%w: a write or the daemon hangs", errInterrupted)
		if ctx.Err() == context.DeadlineExceeded {
			why = fmt.Errorf("the deadline of %v has passed: a write or the daemon hangs", t.deadline)
		}
		time.AfterFunc(patience, func() { t.late <- why })
	})
	t.release = func() {
		unwatch()
		cancel()
	}
	cmd.SetContext(ctx)
}

const help = `mapi shows what the monitoring daemon mapid has, counts packets and prints them.
For capture files, and where no mapid runs, it starts a private one for the call. Only
"info flows" and "stats" need a running mapid.

Exit codes:
  0  done
  1  failed
  2  command line not understood
  3  no daemon can be reached
  4  refused, or no permission
  5  interrupted: the output is what was found so far`

func (t *tool) command() *cobra.Command {
	root := &cobra.Command{
		Use:                "mapi",
		Short:              "Network monitoring tool",
		Long:               help,
		Version:            version,
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		CompletionOptions:  cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:               noMore("command"),
		RunE:               func(*cobra.Command, []string) error { return usageError{errors.New("no command given")} },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if t.deadline < 0 {
				return usageError{fmt.Errorf("--deadline %v lies in the past", t.deadline)}
			}
			if cmd.Flags().Changed("socket") && t.socket == "" {
				return usageError{errors.New("the path of the socket is empty")}
			}
			if t.private && t.socket != "" {
				return usageError{errors.New("--private and --socket exclude each other")}
			}
			t.limit(cmd)
			return nil
		},
	}
	root.SetOut(t.stdout)
	root.SetErr(t.stderr)
	root.SetVersionTemplate("mapi {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{inWords(err)} })
	f := root.PersistentFlags()
	f.BoolVar(&t.json, "json", false, "print JSON, one object on each line")
	f.DurationVar(&t.deadline, "deadline", 0, "end the whole call after `DURATION`, for example 10s or 5m")
	f.StringVar(&t.socket, "socket", "", "use only the daemon that listens on `PATH`")
	f.BoolVar(&t.private, "private", false, "start a private daemon for this call, even if another one runs")
	root.AddCommand(t.infoCommand(), t.countCommand(), t.dumpCommand(), t.statsCommand(), t.applyCommand())
	once(root)
	return root
}

// noMore rejects arguments. what names the kind of argument for the error.
func noMore(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, rest []string) error {
		if len(rest) > 0 {
			return usageError{fmt.Errorf("unknown %s %q", what, rest[0])}
		}
		return nil
	}
}
