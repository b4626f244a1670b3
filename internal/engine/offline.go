package engine

import (
	"context"
	"fmt"
	"slices"

	"gomapi/drivers"
	"gomapi/internal/foreign"
	"gomapi/internal/mapierr"
)

// CreateOffline makes a device of a capture file that the client has opened. The name is
// path@n with n the number of the device. CreateOffline owns f, also after an error. Errors:
// 8003 or 8001 if the policy does not allow it, 3200 for a format that no driver reads, 6155 for a
// file that cannot be read.
func (s *Session) CreateOffline(ctx context.Context, f *foreign.File, path string, format drivers.Format) (string, error) {
	if err := s.enter(); err != nil {
		f.Close()
		return "", err
	}
	defer s.calls.Unlock()
	if err := s.Rights().Open(format.String()); err != nil {
		f.Close()
		return "", mapierr.Wrap(mapierr.CodeOf(err, mapierr.AuthFailed), path, err)
	}
	drv, ok := s.engine.opts.Drivers.File(format)
	if !ok {
		f.Close()
		return "", mapierr.New(mapierr.NoDriver, "%s: this daemon reads no files of format %d (0 is MFF_PCAP; mapi.conf needs a [format] section for it)", path, format)
	}
	if err := f.Charge(offlineSum); err != nil {
		f.Close()
		return "", mapierr.New(mapierr.File, "%s: %v", path, err)
	}
	var dev drivers.Device
	err := s.safely("opening "+path, func() (err error) {
		dev, err = drv.OpenFile(ctx, f)
		return err
	})
	if err != nil {
		f.Close() // also after a panic
		return "", coded(mapierr.File, err)
	}
	e := s.engine
	e.mu.Lock()
	e.lastDev++
	spec := DeviceSpec{Name: fmt.Sprintf("%s@%d", path, e.lastDev), Description: "capture file"}
	d := &device{engine: e, id: -e.lastDev, owner: s, format: format, spec: spec}
	e.mu.Unlock()
	if err := d.read(ctx, dev); err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.offline[spec.Name] = d
	return spec.Name, nil
}

// read makes the capture of a file. If functions are forced on its flows, d is derived from a device
// of the file that nobody sees.
func (d *device) read(ctx context.Context, dev drivers.Device) (err error) {
	calls := d.owner.forced("")
	if len(calls) == 0 {
		d.cur = newCapture(d, dev, nil)
		return nil
	}
	file := &device{engine: d.engine, id: d.id, owner: d.owner, format: d.format, spec: d.spec}
	file.cur = newCapture(file, dev, nil)
	d.recipe = &recipe{file, d.owner.owner, calls}
	if d.cur, err = d.derive(ctx); err != nil {
		file.delete(nil)
	}
	return err
}

// StartOffline begins to read the file. Flows that connect later miss packets. Starting a
// device twice has no effect. It returns 3202 if there is no such offline device.
func (s *Session) StartOffline(name string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.calls.Unlock()
	d, err := s.offlineDevice(name)
	if err != nil || d == nil {
		return err
	}
	d.cur.start()
	return nil
}

// DeleteOffline stops reading, closes the flows on the device and deletes it. On a live
// device it does nothing, like the original API. It returns 3202 if there is no such device.
func (s *Session) DeleteOffline(name string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.calls.Unlock()
	d, err := s.offlineDevice(name)
	if err != nil || d == nil {
		return err
	}
	s.engine.mu.Lock()
	delete(s.offline, name)
	d.cur.reader().cancel(nil) // no need to finish the batch under way
	flows := slices.Collect(d.flows.all())
	s.engine.mu.Unlock()
	s.closeFlows(flows)
	d.delete(nil)
	return nil
}

// offlineDevice finds an offline device of this session. Both results are nil for the name
// of a live device.
func (s *Session) offlineDevice(name string) (*device, error) {
	d, err := s.device(name)
	if err != nil {
		return nil, mapierr.New(mapierr.NoDevice, "no offline device %q on this connection", name)
	}
	if d.owner == nil {
		return nil, nil
	}
	return d, nil
}
