package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gomapi/mapi"
)

const countHelp = `Count the packets of a device or a capture file that match a filter.

The words after the flags are the filter, an expression in the language of tcpdump.
Bytes are lengths on the wire.

On a device the tool prints a line each interval: the totals so far and the rates of
the interval. A signal, --count or --deadline ends it, and it prints the totals.
For a file it prints only the totals.`

const countExamples = `  mapi count -r trace.pcap tcp and dst port 80
  mapi count -d eth0 -i 10s udp
  mapi count -d eth0 --json --deadline 1m`

// counting is one run of count.
type counting struct {
	*tool
	device   string // empty: the first device that can be opened
	file     string // empty: a device is used
	filter   string // empty: all packets match
	interval time.Duration
	limit    uint64 // packets, 0: unlimited

	flow           *mapi.Flow
	packets, bytes *mapi.Function
}

func (t *tool) countCommand() *cobra.Command {
	c := &counting{tool: t}
	cmd := &cobra.Command{
		Use:     "count [-d DEVICE | -r FILE] [flags] [filter]",
		Short:   "Count packets and bytes",
		Long:    countHelp,
		Example: countExamples,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			if err := c.valid(cmd); err != nil {
				return usageError{err}
			}
			if err := mistaken(c.file, words); err != nil {
				return usageError{err}
			}
			c.filter = strings.Join(words, " ")
			ctx, from := cmd.Context(), anyDaemon
			if c.file != "" {
				from = ownDaemon
			}
			return t.withDaemon(ctx, from, func(client *mapi.Client) error {
				return c.run(ctx, client)
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.SetInterspersed(false) // words after the first word of the filter belong to the filter
	f.StringVarP(&c.device, "device", "d", "", "count on `DEVICE` (default: the first that works)")
	f.StringVarP(&c.file, "read", "r", "", "count in the capture `FILE`; - is standard input")
	f.DurationVarP(&c.interval, "interval", "i", time.Second, "print a line each `DURATION`")
	f.Uint64VarP(&c.limit, "count", "c", 0, "end after `N` packets, or slightly more")
	return cmd
}

// valid rejects values and combinations that make no sense.
func (c *counting) valid(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	switch {
	case given("device") && given("read"):
		return errors.New("--device and --read exclude each other")
	case given("read") && (given("interval") || given("count")):
		return errors.New("--interval and --count are for devices: a file is counted to its end")
	case given("device") && c.device == "", given("read") && c.file == "":
		return errors.New("the name of the device or the file is empty")
	case c.interval < minInterval:
		return fmt.Errorf("--interval %v is too short: the minimum is %v", c.interval, minInterval)
	}
	return nil
}

func (c *counting) run(ctx context.Context, client *mapi.Client) error {
	if c.file != "" {
		return c.runFile(ctx, client)
	}
	return c.runDevice(ctx, client)
}

// runFile counts a file to its end. For a damaged file it prints the totals up
// to the damage.
func (c *counting) runFile(ctx context.Context, client *mapi.Client) error {
	var file *mapi.OfflineDevice
	err := c.withFile(ctx, c.file, func(path string) (err error) {
		file, err = client.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
		return err
	})
	if err != nil {
		return err
	}
	if c.flow, err = client.CreateFlow(ctx, file.Name()); err != nil {
		return err
	}
	if err := c.startFlow(ctx); err != nil {
		return err
	}
	if err := file.Start(ctx); err != nil {
		return err
	}
	end := file.Wait(ctx)
	now, err := c.read(c.zero())
	if err != nil {
		return err
	}
	if err := c.printTotal(now, end != nil); err != nil {
		return err
	}
	c.tellTimes(ctx, client, file.Name())
	if end != nil && ctx.Err() != nil {
		return errPartial
	}
	return end
}

// startFlow applies the functions to the flow and starts it.
func (c *counting) startFlow(ctx context.Context) (err error) {
	if c.filter != "" {
		if _, err := c.flow.Apply(ctx, "BPF_FILTER", c.filter); err != nil {
			return err
		}
	}
	if c.packets, err = c.flow.Apply(ctx, "PKT_COUNTER"); err != nil {
		return err
	}
	if c.bytes, err = c.flow.Apply(ctx, "BYTE_COUNTER"); err != nil {
		return err
	}
	return c.flow.Connect(ctx)
}
