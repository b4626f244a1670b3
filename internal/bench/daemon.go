package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/mapi"
)

// daemon is a mapid with one client.
type daemon struct {
	cmd    *exec.Cmd
	client *mapi.Client
}

// startDaemon starts bin and connects to it.
func startDaemon(ctx context.Context, bin, dir string) (*daemon, error) {
	socket, err := filepath.Abs(filepath.Join(dir, "mapid.sock"))
	if err != nil {
		return nil, err
	}
	d := &daemon{cmd: exec.Command(bin, "--builtin", "--socket", socket), client: &mapi.Client{Socket: socket}}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mapid (make build makes it): %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		_, err := d.client.Libraries(ctx)
		if !errors.Is(err, mapi.ErrCommInitSocket) {
			return d, err
		}
		if ctx.Err() != nil {
			d.stop()
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
}

func (d *daemon) stop() {
	d.client.Close()
	_ = d.cmd.Process.Signal(os.Interrupt)
	_ = d.cmd.Wait()
}

// cpu returns the CPU time that the daemon has used so far, of all its threads
// (clock_getres(2): the clock of a process is ~pid<<3|2).
func (d *daemon) cpu() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^d.cmd.Process.Pid<<3|2), &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of mapid: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}

// read lets the daemon read the file through a flow with the functions and
// returns the CPU time that it used from start to end, and the packets counted.
func (d *daemon) read(ctx context.Context, path, filter string) (time.Duration, uint64, error) {
	dev, err := d.client.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
	if err != nil {
		return 0, 0, err
	}
	defer dev.Delete(ctx)
	flow, err := d.client.CreateFlow(ctx, dev.Name())
	if err != nil {
		return 0, 0, err
	}
	if filter != "" {
		if _, err := flow.Apply(ctx, "BPF_FILTER", filter); err != nil {
			return 0, 0, err
		}
	}
	packets, err := flow.Apply(ctx, "PKT_COUNTER")
	if err != nil {
		return 0, 0, err
	}
	if err := flow.Connect(ctx); err != nil {
		return 0, 0, err
	}
	before, err := d.cpu()
	if err != nil {
		return 0, 0, err
	}
	if err := dev.Start(ctx); err != nil {
		return 0, 0, err
	}
	if err := dev.Wait(ctx); err != nil {
		return 0, 0, err
	}
	after, err := d.cpu()
	if err != nil {
		return 0, 0, err
	}
	n, err := packets.Uint64()
	return after - before, n, err
}
