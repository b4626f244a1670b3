package mapitest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gomapi/mapi"
)

// audit checks the books of all open devices. Devices that have ended were
// audited before.
func (d *Daemon) audit() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d.mu.Lock()
	errs := slices.Clone(d.faults)
	d.mu.Unlock()
	for name := range d.devices {
		errs = append(errs, d.auditDevice(ctx, name))
	}
	return errors.Join(append(errs, d.auditFlows(ctx))...)
}

func (d *Daemon) auditDevice(ctx context.Context, name string) error {
	books, err := d.control.Books(ctx, name)
	if errors.Is(err, mapi.ErrStats) {
		return nil // not open
	}
	return errors.Join(err, verdict("device "+name, &books))
}

// auditEnding checks the books of a device before it ends, because they end
// with it. Close reports errors.
func (d *Daemon) auditEnding(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := d.auditDevice(ctx, name)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, err)
}

func (d *Daemon) auditFlows(ctx context.Context) error {
	flows, err := d.control.Flows(ctx)
	errs := []error{err}
	for _, f := range flows {
		where := fmt.Sprintf("flow %d on %s", f.FD, f.Device)
		errs = append(errs, verdict(where, f.Books))
		functions, _ := d.control.FlowFunctions(ctx, f.FD) // none if the flow was closed meanwhile
		for _, fn := range functions {
			errs = append(errs, verdict(fn.Name+" of "+where, fn.Books))
		}
	}
	return errors.Join(errs...)
}

// verdict returns an error if books do not balance. books may be nil.
func verdict(where string, books *mapi.Books) error {
	if books == nil || books.Balances() {
		return nil
	}
	return fmt.Errorf("mapid has lost track of packets: the books of %s do not balance: %+v", where, *books)
}
