package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"gomapi/mapi"
)

// openDevice makes a flow on the live device that the user names, else on the first
// one that can be opened, with the loopback interface as the last resort. It tells
// which one that is and what for.
func (t *tool) openDevice(ctx context.Context, client *mapi.Client, name, doing string) (*mapi.Flow, error) {
	if name != "" {
		flow, err := client.CreateFlow(ctx, name)
		if err == nil {
			t.warnDown(client, flow.Device())
		}
		return flow, err
	}
	names, err := candidates(ctx, client)
	if err != nil {
		return nil, err
	}
	failures := make([]error, 0, len(names))
	for _, name := range names {
		flow, err := client.CreateFlow(ctx, name)
		switch {
		case err == nil:
			for _, f := range failures {
				fmt.Fprintf(t.stderr, "mapi: %s\n", printable(f.Error()))
			}
			fmt.Fprintf(t.stderr, "mapi: %s on %s\n", doing, printable(name))
			return flow, nil
		case ctx.Err() != nil || is(err, mapi.ErrCommInitSocket, mapi.ErrCommSocket):
			return nil, err
		}
		failures = append(failures, err)
	}
	if len(failures) > 0 {
		return nil, failures[0]
	}
	return nil, fmt.Errorf("the daemon has no device for %s: see \"mapi info devices\"", doing)
}

// candidates are the live devices, also those that are unavailable: to make a flow
// on one of them says why.
func candidates(ctx context.Context, client *mapi.Client) (names []string, err error) {
	all, err := client.Devices(ctx)
	if err != nil {
		return nil, err
	}
	last := []string{}
	for _, d := range all {
		switch {
		case d.Status != mapi.DeviceOnline:
		case d.Device == "lo":
			last = append(last, d.Device)
		default:
			names = append(names, d.Device)
		}
	}
	return append(names, last...), nil
}

// mistaken refuses the name of the capture file to read that was left alone in the place of
// the filter. A word of letters is a filter, whatever files there are.
func mistaken(file string, words []string) error {
	if file == "" && len(words) == 1 && strings.ContainsAny(words[0], "./") && modeOf(words[0]).IsRegular() {
		return fmt.Errorf("%s is a file, and no filter: to read it, use -r %[1]s", printable(words[0]))
	}
	return nil
}

// modeOf is the mode of what stands under a name, irregular when nothing does.
func modeOf(name string) os.FileMode {
	st, err := os.Stat(name)
	if err != nil {
		return os.ModeIrregular
	}
	return st.Mode()
}
