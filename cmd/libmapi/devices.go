package main

// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"maps"
	"slices"

	"gomapi/mapi"
)

var errNoDevice = errors.New("no such offline device")

func (s *server) createDevice(ctx context.Context, c *C.struct_call) error {
	d, err := s.client.CreateOfflineDevice(ctx, text(c.text), mapi.Format(c.number))
	if err != nil {
		return err
	}
	if c.name, err = s.names.give(ctx, d.Name()); err != nil {
		return errors.Join(err, d.Delete(ctx))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastDevice++
	s.devices[d.Name()] = &device{d, s.lastDevice}
	return nil
}

// device finds a capture file of the program by name. It returns nil for a live
// device: on such the calls for capture files do nothing, as in the original.
func (s *server) device(ctx context.Context, name, op string) (*device, error) {
	s.mu.Lock()
	d := s.devices[name]
	s.mu.Unlock()
	if d != nil && d.OfflineDevice != nil {
		return d, nil
	}
	all, err := s.client.Devices(ctx)
	if err != nil {
		return nil, err
	}
	live := func(d mapi.DeviceInfo) bool { return d.Device == name && d.ID >= 0 }
	if !slices.ContainsFunc(all, live) {
		return nil, fail(mapi.ErrNoDevice, op+" "+name, errNoDevice)
	}
	return nil, nil
}

func (s *server) startDevice(ctx context.Context, c *C.struct_call) error {
	d, err := s.device(ctx, text(c.text), "start offline device")
	if d == nil {
		return err
	}
	return d.Start(ctx)
}

func (s *server) deleteDevice(ctx context.Context, c *C.struct_call) error {
	name := text(c.text)
	d, err := s.device(ctx, name, "delete offline device")
	if d == nil {
		return err
	}
	s.mu.Lock()
	maps.DeleteFunc(s.devices, func(_ string, other *device) bool { return other == d })
	s.mu.Unlock()
	c.device = C.int(d.number)
	if err := d.Delete(ctx); err != nil {
		return err
	}
	s.names.free(name, c.text)
	return nil
}

func (s *server) stats(ctx context.Context, c *C.struct_call) error {
	st, err := s.client.Stats(ctx, text(c.text))
	var e *mapi.Error
	if errors.As(err, &e) && e.Code == mapi.ErrNoDriver {
		// The original has one number for devices that it cannot tell about.
		return fail(mapi.ErrStats, e.Op, e.Err)
	}
	if err != nil {
		return err
	}
	c.stat.ps_recv = C.uint(st.Recv)
	c.stat.ps_drop = C.uint(st.Drop)
	c.stat.ps_ifdrop = C.uint(st.IfDrop)
	put(c.stat.hostname[:], st.Hostname)
	put(c.stat.dev[:], st.Device)
	return nil
}
