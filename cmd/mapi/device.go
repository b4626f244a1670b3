package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"gomapi/mapi"
)

// openDevice creates a flow on the live device that the user names, else on the
// first device that can be opened, with the loopback interface last. It prints
// the name of a device that it chose itself and the purpose.
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
	return nil, fmt.Errorf("no device of the daemon is usable for %s: see \"mapi info devices\"", doing)
}

// candidates are the live devices, including unavailable ones: the attempt to
// create a flow on such a device gives the reason.
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

// mistaken rejects a capture file name that stands alone in place of the
// filter. A word of letters only is always a filter, even if a file has this
// name.
func mistaken(file string, words []string) error {
	if file == "" && len(words) == 1 && strings.ContainsAny(words[0], "./") && modeOf(words[0]).IsRegular() {
		return fmt.Errorf("%s is a file, not a filter: to read it, use -r %[1]s", printable(words[0]))
	}
	return nil
}

// modeOf is the mode of the file with this name. It is irregular if there is no
// such file.
func modeOf(name string) os.FileMode {
	st, err := os.Stat(name)
	if err != nil {
		return os.ModeIrregular
	}
	return st.Mode()
}
