package main

import (
	"context"
	"fmt"
	"strconv"

	"gomapi/mapi"
)

// list prints the devices of the daemon, each with its number, like tcpdump -D.
func (d *dumping) list(ctx context.Context, client *mapi.Client) error {
	if d.json {
		return d.devices(ctx, client)
	}
	all, err := client.Devices(ctx)
	if err != nil {
		return err
	}
	for _, dev := range all {
		text := fmt.Sprintf("%d.%s", dev.ID, dev.Device)
		if dev.Description != "" {
			text += " (" + dev.Description + ")"
		}
		if _, err := fmt.Fprintf(d.stdout, "%s [%s]\n", printable(text), printable(status(dev))); err != nil {
			return err
		}
	}
	return nil
}

// liveDevice is the name of the device, empty for a file.
func (d *dumping) liveDevice() string {
	if d.file != "" {
		return ""
	}
	return d.flow.Device()
}

// byNumber returns the name of the device with this number in the list. A word
// that is not a number is a name.
func byNumber(ctx context.Context, client *mapi.Client, word string) (string, error) {
	number, err := strconv.Atoi(word)
	if err != nil {
		return word, nil
	}
	all, err := client.Devices(ctx)
	if err != nil {
		return "", err
	}
	name := word
	for _, dev := range all {
		if dev.Device == word || dev.Alias == word {
			return word, nil
		}
		if dev.ID == number {
			name = dev.Device
		}
	}
	return name, nil
}
