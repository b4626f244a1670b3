package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// daemon is a mapid with one client.
type daemon struct {
	process
	socket string
	client *mapi.Client
}

// startDaemon starts a mapid and connects to it. It serves the interface b of the
// pair, with a line for its section of mapi.conf, and pcap files.
func (b *bench) startDaemon(ctx context.Context, line string) (*daemon, error) {
	dir, err := filepath.Abs(b.dir)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "mapi.conf")
	text := "[driver]\ndevice=" + testnet.B + "\ndriver=mapinicdrv\n" + line + "\n[format]\nformat=MFF_PCAP\ndriver=mapinicdrv\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	d := &daemon{socket: filepath.Join(dir, "mapid.sock")}
	d.cmd = exec.Command(b.bin, "--config", config, "--socket", d.socket)
	d.client = d.newClient()
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mapid (make build makes it): %w", err)
	}
	if err := d.answers(ctx); err != nil {
		d.stop()
		return nil, err
	}
	return d, nil
}

// answers waits until the daemon does.
func (d *daemon) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		_, err := d.client.Libraries(ctx)
		if !errors.Is(err, mapi.ErrCommInitSocket) || ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

func (d *daemon) newClient() *mapi.Client { return &mapi.Client{Socket: d.socket} }

// stop ends the daemon. Twice is fine.
func (d *daemon) stop() {
	d.client.Close()
	d.process.stop()
}

// flow makes a flow on a device, behind a filter unless that is empty, with one
// function, and connects it.
func flow(ctx context.Context, c *mapi.Client, device, filter, function string) (*mapi.Function, error) {
	f, err := c.CreateFlow(ctx, device)
	if err != nil {
		return nil, err
	}
	if filter != "" {
		if _, err := f.Apply(ctx, "BPF_FILTER", filter); err != nil {
			return nil, err
		}
	}
	fn, err := f.Apply(ctx, function)
	if err != nil {
		return nil, err
	}
	return fn, f.Connect(ctx)
}
