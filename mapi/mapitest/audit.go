package mapitest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gomapi/mapi"
)

// audit looks at the books of everything that is still there. Of devices that have
// ended it has been done before.
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

// auditEnding looks at the books of a device before it ends, which ends them too.
// Close reports what is wrong.
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
		functions, _ := d.control.FlowFunctions(ctx, f.FD) // none of a flow that was closed meanwhile
		for _, fn := range functions {
			errs = append(errs, verdict(fn.Name+" of "+where, fn.Books))
		}
	}
	return errors.Join(errs...)
}

// verdict is an error unless books balance. There may be none.
func verdict(where string, books *mapi.Books) error {
	if books == nil || books.Balances() {
		return nil
	}
	return fmt.Errorf("mapid has lost track of packets: the books of %s do not balance: %+v", where, *books)
}
