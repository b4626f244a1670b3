package mapitest

import (
	"context"
	"errors"
	"fmt"

	"gomapi/mapi"
)

// audit looks at the books of everything that is still there.
func (d *Daemon) audit() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return errors.Join(d.auditDevices(ctx), d.auditFlows(ctx))
}

func (d *Daemon) auditDevices(ctx context.Context) error {
	var errs []error
	for name := range d.devices {
		books, err := d.control.Books(ctx, name)
		if errors.Is(err, mapi.ErrStats) {
			continue // not open
		}
		errs = append(errs, err, verdict("device "+name, &books))
	}
	return errors.Join(errs...)
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
