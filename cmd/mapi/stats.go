package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"gomapi/mapi"
)

const statsHelp = `Show the books of the daemon that runs: how many packets came to each device, and
to each flow and function of your programs (all for root), and what became of
them. The last line says whether the books balance, that is, whether every packet
that came is in exactly one of the lines below it. docs/accounting.md explains
the lines.

With names of devices it shows those alone. It fails when books do not balance.`

// errUnbalanced is a packet too many or too few in some book.
var errUnbalanced = errors.New("the books do not balance")

func (t *tool) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stats [DEVICE...]",
		Short: "Show what became of the packets, stage by stage",
		Long:  statsHelp,
		RunE: func(cmd *cobra.Command, devices []string) error {
			return t.show(cmd.Context(), hostDaemon, func(ctx context.Context, client *mapi.Client) error {
				return t.stats(ctx, client, devices)
			})
		},
	}
}

// stats shows the books of the devices and of what lies behind them.
func (t *tool) stats(ctx context.Context, client *mapi.Client, names []string) error {
	devices, err := openDevices(ctx, client, names)
	if err != nil {
		return err
	}
	flows, err := client.Flows(ctx)
	if err != nil {
		return err
	}
	l := ledger{tool: t}
	for _, d := range devices {
		l.enter("device "+d.name, d.books)
		for _, f := range flows {
			if f.Device == d.name {
				l.enterFlow(ctx, client, f)
			}
		}
	}
	return l.close()
}

// An openDevice is a device with its books.
type openDevice struct {
	name  string
	books *mapi.Books
}

// openDevices returns the devices of those names or aliases, without names all
// that are open.
func openDevices(ctx context.Context, client *mapi.Client, names []string) (open []openDevice, err error) {
	all, err := client.Devices(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if !slices.ContainsFunc(all, func(d mapi.DeviceInfo) bool { return called(d, n) }) {
			return nil, fmt.Errorf("the daemon has no device %s; mapi info devices lists those that it has", n)
		}
	}
	for _, d := range all {
		meant := slices.ContainsFunc(names, func(n string) bool { return called(d, n) })
		if len(names) > 0 && !meant {
			continue
		}
		b, err := client.Books(ctx, d.Device)
		if is(err, mapi.ErrStats) && !meant {
			continue // not open
		}
		if err != nil {
			return nil, err
		}
		open = append(open, openDevice{d.Device, &b})
	}
	return open, nil
}

// called reports whether name is that of the device, or its alias.
func called(d mapi.DeviceInfo, name string) bool { return name == d.Device || name == d.Alias }
