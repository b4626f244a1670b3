package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

const applyHelp = `Apply functions to the packets of a device or a capture file, in the order of the
command line, and print their results.

Flags come before the first function. The word "," separates a function with its
arguments from the next function. "mapi info functions" lists names and arguments.
Numbers may be names of constants, such as PERIODIC or TYPE_INT+TR_POLL. These
arguments have a special form:
  @N     a function to read: the Nth of the command line
  @1,@3  a list of functions to read
  PATH   a file to write

A word may also be a call with its arguments in parentheses, or several calls. Commas
separate the arguments. All texts but times are in double quotes, where \" stands for "
and \\ for \.

On a device the tool prints the results each interval, until a signal or --deadline
ends it, and then once more. For a file it prints them at the end of the file. It
prints the entries of a series (BUCKET, THRESHOLD, HASHSAMP that keeps samples) one by
one. It takes and counts the packets of TO_BUFFER. Times are local times.`

const applyExamples = `  mapi apply -r trace.pcap BPF_FILTER "tcp and port 80" , PKT_COUNTER , BYTE_COUNTER
  mapi apply -r trace.pcap PKTINFO 1 , STATS @1 0
  mapi apply -r trace.pcap 'SAMPLE(20, PERIODIC), BPF_FILTER("tcp")' , PKT_COUNTER
  mapi apply -d eth0 PKT_COUNTER , BUCKET @1 1s 1
  mapi apply -r trace.pcap PKT_COUNTER , RES2FILE 1 @1 packets out.txt 5s 1`

// applying is one run of apply.
type applying struct {
	*tool
	device   string // empty: the first device that can be opened
	file     string // empty: a device is used
	interval time.Duration

	flow      *mapi.Flow
	before    map[string]uint64 // losses of the device at the start
	known     []definition
	functions []*applied
	out       *bufio.Writer // flushed when nothing is left to print
	terminals terminals
}

func (t *tool) applyCommand() *cobra.Command {
	a := &applying{tool: t, out: bufio.NewWriter(t.stdout)}
	cmd := &cobra.Command{
		Use:     "apply [-d DEVICE | -r FILE] [flags] FUNCTION [ARG...] [, FUNCTION [ARG...]]...",
		Short:   "Apply any functions and print their results",
		Long:    applyHelp,
		Example: applyExamples,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) (err error) {
			if err := a.valid(cmd); err != nil {
				return usageError{err}
			}
			if a.functions, err = parseCalls(words); err != nil {
				return usageError{err}
			}
			ctx, from := cmd.Context(), anyDaemon
			if a.file != "" {
				from = ownDaemon
			}
			return t.withDaemon(ctx, from, func(client *mapi.Client) error {
				return a.run(ctx, client)
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.SetInterspersed(false) // words after the first function, such as -1, are arguments
	f.StringVarP(&a.device, "device", "d", "", "capture on `DEVICE` (default: the first that works)")
	f.StringVarP(&a.file, "read", "r", "", "read packets from the capture `FILE`; - is standard input")
	f.DurationVarP(&a.interval, "interval", "i", time.Second, "print the results each `DURATION`")
	return cmd
}

// valid rejects values and combinations that make no sense.
func (a *applying) valid(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	switch {
	case given("device") && given("read"):
		return errors.New("--device and --read exclude each other")
	case given("read") && given("interval"):
		return errors.New("--interval is for devices: a file is read to its end")
	case given("device") && a.device == "", given("read") && a.file == "":
		return errors.New("the name of the device or the file is empty")
	case a.interval < minInterval:
		return fmt.Errorf("--interval %v is too short: the minimum is %v", a.interval, minInterval)
	}
	return nil
}

// run creates the flow, prints the results of its functions, and reports
// problems.
func (a *applying) run(ctx context.Context, client *mapi.Client) error {
	if err := a.startFlow(ctx, client); err != nil {
		return err
	}
	err := a.follow(ctx)
	a.tellMissing(ctx, client)
	if errors.Is(err, errClosedOutput) {
		return err
	}
	if e := a.finish(ctx); e != nil {
		return e
	}
	switch {
	case ctx.Err() == context.DeadlineExceeded && a.file == "":
		return nil
	case ctx.Err() != nil:
		return errPartial
	case err == nil && a.file == "":
		return fmt.Errorf("the device %s has ended", a.flow.Device())
	}
	return err
}

// startFlow creates the flow, applies the functions and starts the flow.
func (a *applying) startFlow(ctx context.Context, client *mapi.Client) error {
	var err error
	if a.known, err = definitions(ctx, client); err != nil {
		return err
	}
	if err = a.resolve(); err != nil {
		return err
	}
	if a.file != "" {
		err = a.withFile(ctx, a.file, func(path string) (err error) {
			a.flow, err = client.CreateOfflineFlow(ctx, path, mapi.FormatPCAP)
			return err
		})
	} else {
		a.flow, err = a.openDevice(ctx, client, a.device, "measuring")
	}
	if err != nil {
		return err
	}
	for _, f := range a.functions {
		if err := a.apply(ctx, f); err != nil {
			return err
		}
	}
	if a.file == "" {
		a.before = losses(ctx, client, a.flow.Device())
	}
	return a.flow.Connect(ctx)
}

// apply applies a function to the flow.
func (a *applying) apply(ctx context.Context, f *applied) error {
	pipes, err := a.terminals.replace(f)
	defer closeAll(pipes)
	if err != nil {
		return err
	}
	if err = f.send(ctx, a.flow, a.functions); err != nil {
		return fmt.Errorf("function %d: %w", f.number, err)
	}
	return a.describe(ctx, f)
}

// finish prints the last results and the losses, and closes the flow so that
// its files are written.
func (a *applying) finish(ctx context.Context) error {
	early := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	if a.file != "" && !early {
		a.awaitFiles(ctx)
	}
	if err := a.printResults(); err != nil {
		return err
	}
	for _, f := range a.functions {
		if lost, _ := f.fn.Lost(); lost+f.unread > 0 && f.series() {
			fmt.Fprintf(a.stderr, "mapi: function %d: %s of %s not read in time\n", f.number, counted(lost+f.unread, "entries"), f.name)
		}
	}
	if a.file != "" && early {
		fmt.Fprintln(a.stderr, "mapi: ended before the end of the file")
	}
	err := a.unwritten(ctx)
	_ = a.flow.Close(ctx) // the user already knows that the daemon is gone
	a.terminals.wait(ctx)
	return err
}

// errUnwritten ends a call whose files are incomplete.
var errUnwritten = errors.New("not everything was written")

// unwritten reports what the files of functions lack.
func (a *applying) unwritten(ctx context.Context) (err error) {
	for _, f := range a.functions {
		info, e := f.fn.Info(ctx)
		if e != nil || info.Books == nil {
			continue // the user already knows that the daemon is gone
		}
		for _, l := range slices.Concat(info.Books.Out, info.Books.Notes) {
			unit, why, found := strings.Cut(l.Name, "not written: ")
			if !found || l.Value == 0 {
				continue
			}
			fmt.Fprintf(a.stderr, "mapi: function %d: %s not written: %s\n",
				f.number, counted(l.Value, cmp.Or(strings.TrimSpace(unit), "packets")), printable(why))
			err = errUnwritten
		}
	}
	return err
}

// awaitFiles waits until TO_FILE has written its packets of a capture file that
// has ended. No event announces this, so awaitFiles polls.
func (a *applying) awaitFiles(ctx context.Context) {
	t := time.NewTicker(limitPoll)
	defer t.Stop()
	for slices.ContainsFunc(a.functions, (*applied).writing) {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// writing reports whether f is a TO_FILE that still has something to write.
func (f *applied) writing() bool {
	if f.of != "stdflib:TO_FILE" {
		return false
	}
	r, err := f.fn.Read()
	state, ok := result.ParseFileState(r.Res)
	return err == nil && ok && state == result.FileWriting
}
