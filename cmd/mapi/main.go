// Mapi is the tool for people at a terminal and for scripts. Its sub-commands
// look at a daemon or let it measure: info shows what mapid has, count counts
// packets, live or in a capture file, dump prints them or writes them to a file,
// apply makes a flow of any functions and prints their results, stats shows what
// became of the packets.
//
// The tool reads no packets itself. It is a client of mapid like any other and
// uses only the public package: of the daemon that runs, or, for files and where
// none runs, of a mapid that it starts for the time of one call (private.go).
// connect.go decides between the two. One file holds one sub-command, with its
// parts beside it under the same first name; output.go is how all of them write.
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

// untilSignal returns a context that ends with the first signal to stop; the
// second one kills, should the first not get through.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	// A reader of our output that goes away is told by the write (output.go).
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	signals := []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGQUIT}
	if !signal.Ignored(unix.SIGHUP) { // as nohup makes it
		signals = append(signals, unix.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// A tool is one call of the program: the flags that all sub-commands have, and
// where it writes.
type tool struct {
	name     string // under which it was called
	json     bool
	deadline time.Duration // of the whole call; 0: none
	socket   string        // of the daemon; empty: the usual places
	private  bool          // a daemon of our own in any case
	pipe     string        // over which packets come; empty: none
	stdout   io.Writer
	stderr   io.Writer
	late     chan error             // why the call is given up
	lastly   atomic.Pointer[func()] // what a call that is given up says before; may be nil
	release  func()                 // what limit took
}

// run executes the command line args, with the program's name first, and
// returns the exit code, a second after the end of ctx or of the deadline at the
// latest: a write that hangs cannot be interrupted, and ends with the process.
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

// execute is run for as long as it takes.
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
	// patience is how long a call may take to finish once its time is up.
	patience = 800 * time.Millisecond
	// lastWord is how long it may take after that to say why it did not.
	lastWord = 100 * time.Millisecond
)

// limit bounds the call by its deadline, and watches that it ends after that or
// after a signal.
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
				return usageError{errors.New("an empty path is given for the socket")}
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

// noMore refuses arguments; what says what they would have been.
func noMore(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, rest []string) error {
		if len(rest) > 0 {
			return usageError{fmt.Errorf("unknown %s %q", what, rest[0])}
		}
		return nil
	}
}
