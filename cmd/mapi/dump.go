package main

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gomapi/mapi"
)

const dumpHelp = `Print the packets of a device or a capture file that match a filter, or write
them to a file.

The words after the flags are the filter, an expression in the language of tcpdump.
Each packet is a line in the format of tcpdump -n -S: TCP sequence numbers are
absolute, and DNS is the only application protocol shown.

On a device the tool runs until a signal, --count or --deadline ends it. It then
reports on standard error how many packets were captured and lost.

Packets of a pipe are printed as they arrive; -r - reads standard input.

--write makes a pcap file with time stamps in microseconds. It omits packets of
another link type than the first packet of a capture file, and counts them.`

const dumpExamples = `  mapi dump -r trace.pcap tcp and dst port 80
  mapi dump -d eth0 -c 100 -w dns.pcap udp port 53
  mapi dump -d eth0 -w - | wireshark -k -i -
  ssh gateway tcpdump -w - | mapi dump -e -r - vlan`

// dumping is one run of dump.
type dumping struct {
	*tool
	device string // empty: the first device that can be opened
	file   string // empty: a device is used
	filter string // empty: all packets match
	search string // bytes that packets must contain, in the syntax of STR_SEARCH; empty: any packet
	limit  uint64 // packets, 0: unlimited
	snap   uint32 // bytes of a packet, 0: all
	write  string // file, "-" for standard output; empty: print
	text   lineFlags

	pieces *pieces // nil unless the input is a pipe
	flow   *mapi.Flow
	buffer *mapi.Function
	sink   sink
}

func (t *tool) dumpCommand() *cobra.Command {
	d := &dumping{tool: t}
	cmd := &cobra.Command{
		Use:     "dump [-d DEVICE | -r FILE] [flags] [filter]",
		Short:   "Print packets or write them to a file",
		Long:    dumpHelp,
		Example: dumpExamples,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			if err := d.valid(cmd); err != nil {
				return usageError{err}
			}
			if err := mistaken(d.file, words); err != nil {
				return usageError{err}
			}
			d.filter = strings.Join(words, " ")
			ctx, from := cmd.Context(), anyDaemon
			if d.file != "" {
				from = ownDaemon
			}
			do := d.run
			if d.text.list {
				do = d.list
			}
			return t.withDaemon(ctx, from, func(client *mapi.Client) error { return do(ctx, client) })
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.SetInterspersed(false) // words after the first word of the filter belong to the filter
	f.StringVarP(&d.device, "interface", "i", "", "capture on `DEVICE`, a name or a number of -D (default: the first that works)")
	f.StringVarP(&d.device, "device", "d", "", "the same as --interface `DEVICE`")
	f.StringVarP(&d.file, "read", "r", "", "read packets from the capture `FILE`; - is standard input")
	f.Uint64VarP(&d.limit, "count", "c", 0, "end after `N` packets")
	f.Uint32VarP(&d.snap, "snap", "s", 0, "cut packets to `N` bytes (default: no cut)")
	f.StringVarP(&d.write, "write", "w", "", "write packets to `FILE`, replacing its content; - is standard output")
	d.text.addTo(f)
	f.StringVar(&d.search, "search", "", "select packets with `BYTES` within the first 1500 bytes, in the syntax of STR_SEARCH")
	return cmd
}

// valid rejects values and combinations that make no sense.
func (d *dumping) valid(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	switch {
	case given("device") && given("interface"):
		return errors.New("--device and --interface mean the same: give one of them")
	case d.device != "" && given("read"):
		return errors.New("--device and --read exclude each other")
	case d.text.list && (given("read") || given("write")):
		return errors.New("--list-devices captures no packets: omit --read and --write")
	case (given("device") || given("interface")) && d.device == "", given("read") && d.file == "", given("write") && d.write == "":
		return errors.New("the name of the device or a file is empty")
	case given("write") && d.json:
		return errors.New("--write and --json exclude each other: --write prints nothing")
	case given("search") && d.search == "":
		return errors.New("--search is empty")
	case d.write == "-" && isTerminal(d.stdout):
		return errors.New("a capture file does not go to a terminal: redirect it to a file or a pipe")
	case d.write != "" && sameFile(d.write, d.file):
		return errors.New("the input and output file are the same")
	}
	if d.snap == 0 {
		d.snap = math.MaxUint32
	}
	return nil
}

// run takes packets until they end and reports the outcome.
func (d *dumping) run(ctx context.Context, client *mapi.Client) error {
	if err := d.startFlow(ctx, client); err != nil {
		return err
	}
	if err := d.openSink(ctx); err != nil {
		return err
	}
	var before map[string]uint64
	if d.file == "" {
		before = losses(ctx, client, d.flow.Device())
	}
	d.reportLate(ctx, client, before)
	err := d.flow.Connect(ctx)
	if err == nil {
		err = d.take(ctx)
	}
	if closed := d.sink.close(); closed != nil && (err == nil || errors.Is(err, io.EOF) || ctx.Err() != nil) {
		err = closed
	}
	if errors.Is(err, errClosedOutput) && d.file != "" {
		return err
	}
	d.report(ctx, client, before, d.sink.tally, reportTime)
	if errors.Is(err, errClosedOutput) {
		return err
	}
	return d.outcome(ctx, err)
}

// startFlow creates the flow, applies its functions and starts it. The order is
// that of the original mapidump.
func (d *dumping) startFlow(ctx context.Context, client *mapi.Client) (err error) {
	if d.file != "" {
		err = d.openFile(ctx, client)
	} else if d.device, err = byNumber(ctx, client, d.device); err == nil {
		d.flow, err = d.openDevice(ctx, client, d.device, "capturing")
	}
	if err != nil {
		return err
	}
	return d.applyFunctions(ctx)
}

// applyFunctions applies the functions of the flow.
func (d *dumping) applyFunctions(ctx context.Context) (err error) {
	if d.filter != "" {
		if _, err := d.flow.Apply(ctx, "BPF_FILTER", d.filter); err != nil {
			return err
		}
	}
	if d.search != "" {
		if _, err := d.flow.Apply(ctx, "STR_SEARCH", d.search, 0, searchDepth); err != nil {
			return err
		}
	}
	d.buffer, err = d.flow.Apply(ctx, "TO_BUFFER")
	return err
}

// searchDepth is how many bytes of a packet the original mapidump searches.
const searchDepth = 1500

// takeFlow passes packets of the flow to the sink until the sink has enough.
// The error gives the reason if packets end before.
func (d *dumping) takeFlow(ctx context.Context) error {
	for d.limit == 0 || d.sink.taken < d.limit {
		p, err := d.buffer.TryNext()
		if p == nil && err == nil {
			if err := d.sink.flush(); err != nil {
				return err
			}
			p, err = d.buffer.Next(ctx)
		}
		if err != nil {
			return err
		}
		full := d.sink.add(p, d.snap)
		if !full {
			continue
		}
		if err := d.sink.flush(); err != nil {
			return err
		}
		if ctx.Err() != nil { // Next does not check ctx while packets wait
			return ctx.Err()
		}
	}
	return nil
}

// outcome is the result of the call. err is why no more packets were taken.
func (d *dumping) outcome(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() == context.DeadlineExceeded && d.file == "":
		return nil
	case ctx.Err() != nil:
		return errPartial
	case !errors.Is(err, io.EOF):
		return err
	}
	err = d.flow.Wait(ctx)
	if err == nil && d.file == "" {
		err = errors.New("the device " + d.flow.Device() + " has ended")
	}
	return err
}

// sameFile reports whether both names refer to the same existing file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
