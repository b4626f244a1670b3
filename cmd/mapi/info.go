package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"gomapi/mapi"
)

const infoHelp = `Show the devices, function libraries and functions of the daemon, or the flows of
your programs (as root: all flows). Without a sub-command it shows devices, libraries
and functions.`

// A section is one part of the output of info.
type section func(ctx context.Context, client *mapi.Client) error

func (t *tool) infoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info",
		Short: "Show devices, libraries, functions and flows",
		Long:  infoHelp,
		Args:  noMore("section"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.show(cmd.Context(), anyDaemon, t.overview)
		},
	}
	cmd.AddCommand(
		t.sectionCommand("devices", "Show the devices, with the reason for those that are unavailable", anyDaemon, t.devices),
		t.sectionCommand("libraries", "Show the function libraries", anyDaemon, t.libraries),
		t.functionsCommand(),
		t.usersCommand(),
		t.sectionCommand("flows", "Show the flows of your programs (as root: all flows)", hostDaemon, t.flows),
	)
	return cmd
}

func (t *tool) sectionCommand(name, short string, from source, s section) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Args:  noMore("argument"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return t.show(cmd.Context(), from, s) },
	}
}

func (t *tool) usersCommand() *cobra.Command {
	cmd := t.sectionCommand("users", "Show what each user has taken of the daemon", hostDaemon, t.users)
	cmd.Long = usersHelp
	return cmd
}

// show prints a section of a daemon.
func (t *tool) show(ctx context.Context, from source, s section) error {
	return t.withDaemon(ctx, from, func(client *mapi.Client) error { return s(ctx, client) })
}

// overview shows all sections except flows, which change from call to call.
func (t *tool) overview(ctx context.Context, client *mapi.Client) error {
	parts := []struct {
		title string
		show  section
	}{
		{"Devices", t.devices},
		{"\nLibraries", t.libraries},
		{"\nFunctions", t.functions},
	}
	for _, p := range parts {
		if !t.json {
			if _, err := fmt.Fprintln(t.stdout, p.title); err != nil {
				return err
			}
		}
		if err := p.show(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

// A deviceObject is a device in JSON.
type deviceObject struct {
	Kind        string `json:"kind"`
	ID          int    `json:"id"`
	Device      string `json:"device"`
	Driver      string `json:"driver"`
	Alias       string `json:"alias"`
	Description string `json:"description"`
	LinkSpeed   int    `json:"link_speed"` // Mbit/s, 0: unknown
	MPLS        bool   `json:"mpls"`
	VLAN        bool   `json:"vlan"`
	Status      string `json:"status"` // "unavailable" if no flow can be created
	Unavailable string `json:"unavailable,omitempty"`
}

func (t *tool) devices(ctx context.Context, client *mapi.Client) error {
	all, err := client.Devices(ctx)
	if err != nil {
		return err
	}
	if t.json {
		for _, d := range all {
			err := writeJSON(t.stdout, deviceObject{
				"device", d.ID, d.Device, d.Name, d.Alias, d.Description, d.LinkSpeed, d.MPLS, d.VLAN,
				state(d), d.Unavailable,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	tab := newTable(t.stdout, "", "ID", "DEVICE", "DRIVER", "ALIAS", "SPEED", "DESCRIPTION", "STATUS")
	for _, d := range all {
		tab.row(d.ID, d.Device, d.Name, d.Alias, speed(d.LinkSpeed), d.Description, status(d))
	}
	return tab.flush()
}

// speed formats a link speed in Mbit/s. It is empty if the speed is unknown.
func speed(mbit int) string {
	if mbit == 0 {
		return ""
	}
	return fmt.Sprintf("%d Mbit/s", mbit)
}

// status describes the state of a device, with the reason if it is unavailable.
func status(d mapi.DeviceInfo) string {
	if d.Unavailable != "" {
		return state(d) + ": " + d.Unavailable
	}
	return state(d)
}

// state is the state of a device in one or two words.
func state(d mapi.DeviceInfo) string {
	if d.Unavailable != "" {
		return "unavailable"
	}
	return d.Status.String()
}

// A libraryObject is a function library in JSON.
type libraryObject struct {
	Kind      string `json:"kind"`
	ID        int    `json:"id"`
	Name      string `json:"name"`
	Functions int    `json:"functions"`
}

func (t *tool) libraries(ctx context.Context, client *mapi.Client) error {
	all, err := client.Libraries(ctx)
	if err != nil {
		return err
	}
	if t.json {
		for _, l := range all {
			if err := writeJSON(t.stdout, libraryObject{"library", l.ID, l.Name, l.Functions}); err != nil {
				return err
			}
		}
		return nil
	}
	tab := newTable(t.stdout, "", "ID", "LIBRARY", "FUNCTIONS")
	for _, l := range all {
		tab.row(l.ID, l.Name, l.Functions)
	}
	return tab.flush()
}
