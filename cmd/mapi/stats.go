package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"gomapi/mapi"
)

const statsHelp = `Show the books of the running daemon: how many packets reached each device, and each
flow and function of your programs (as root: of all programs), and what happened to
them. The last line says whether the books balance: whether every packet that arrived
at a stage is in exactly one of its lines. docs/accounting.md explains the lines.

With DEVICE names it shows only these devices. Flows whose device is closed, and flows
on capture files of other programs, come last. It fails if books do not balance.`

// errUnbalanced ends a call when the books of some stage have a packet too many
// or too few.
var errUnbalanced = errors.New("the books do not balance")

func (t *tool) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stats [DEVICE...]",
		Short: "Show what happened to the packets, stage by stage",
		Long:  statsHelp,
		RunE: func(cmd *cobra.Command, devices []string) error {
			if err := t.checkStats(devices); err != nil {
				return err
			}
			return t.show(cmd.Context(), hostDaemon, func(ctx context.Context, client *mapi.Client) error {
				return t.stats(ctx, client, devices)
			})
		},
	}
}

// checkStats rejects invalid arguments.
func (t *tool) checkStats(names []string) error {
	if slices.Contains(names, "") {
		return usageError{errors.New("the name of a device is empty")}
	}
	if t.private {
		return usageError{errors.New("a private daemon has no books to show: omit --private")}
	}
	return nil
}

// stats shows the books of each device and of its flows, then those of other
// flows: their device is closed or belongs to another program.
func (t *tool) stats(ctx context.Context, client *mapi.Client, names []string) error {
	devices, err := client.Devices(ctx)
	if err != nil {
		return err
	}
	flows, err := client.Flows(ctx)
	if err == nil && len(names) > 0 {
		devices, flows, err = pick(names, devices, flows)
	}
	if err != nil {
		return err
	}
	l := ledger{tool: t}
	for _, d := range devices {
		b, err := client.Books(ctx, d.Device)
		if is(err, mapi.ErrStats, mapi.ErrNoDriver) && (len(names) == 0 || onDevice(flows, d.Device)) {
			continue // not open, or closed meanwhile
		}
		if err != nil {
			return err
		}
		l.enter("device "+d.Device, place{Device: d.Device}, &b)
		own, others := split(flows, d.Device, b.Opening)
		for _, f := range own {
			l.enterFlow(ctx, client, f)
		}
		flows = others
	}
	for _, f := range flows {
		l.enterFlow(ctx, client, f)
	}
	return l.close()
}

// pick returns the devices with these names or aliases, and the flows on
// devices with these names. It fails if a name matches neither.
func pick(names []string, devices []mapi.DeviceInfo, flows []mapi.FlowInfo) ([]mapi.DeviceInfo, []mapi.FlowInfo, error) {
	var picked []mapi.DeviceInfo
	wanted := make(map[string]bool)
	for _, n := range names {
		wanted[n] = true
		known := onDevice(flows, n)
		for _, d := range devices {
			known = known || called(d, n)
		}
		if !known {
			return nil, nil, fmt.Errorf("the daemon has no device %q; \"mapi info devices\" lists its devices", n)
		}
	}
	for _, d := range devices {
		if slices.ContainsFunc(names, func(n string) bool { return called(d, n) }) {
			picked = append(picked, d)
			wanted[d.Device] = true
		}
	}
	flows = slices.DeleteFunc(flows, func(f mapi.FlowInfo) bool { return !wanted[f.Device] })
	return picked, flows, nil
}

// split separates the flows that belong to one opening of a device from the
// others.
func split(flows []mapi.FlowInfo, device string, opening uint64) (own, others []mapi.FlowInfo) {
	for _, f := range flows {
		if f.Device == device && f.Books != nil && f.Books.Opening == opening {
			own = append(own, f)
		} else {
			others = append(others, f)
		}
	}
	return own, others
}

// onDevice reports whether a flow is on the device with this name.
func onDevice(flows []mapi.FlowInfo, name string) bool {
	return slices.ContainsFunc(flows, func(f mapi.FlowInfo) bool { return f.Device == name })
}

// called reports whether name is the device's name or alias.
func called(d mapi.DeviceInfo, name string) bool { return name == d.Device || name == d.Alias }
