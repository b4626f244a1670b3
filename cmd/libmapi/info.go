package main

// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"time"

	"gomapi/internal/rawview"
	"gomapi/mapi"
)

var errNone = errors.New("no entry found")

// pick finds the entry for an information call in a list in ascending order: the entry
// with the number, or with next the first entry with a higher number.
func pick[T any](list []T, number int, next bool, id func(T) int) (T, bool) {
	for _, e := range list {
		if n := id(e); n == number || next && n > number {
			if !next || n > number {
				return e, true
			}
		}
	}
	var none T
	return none, false
}

func (s *server) deviceInfo(ctx context.Context, c *C.struct_call) error {
	all, err := s.client.Devices(ctx)
	if err != nil {
		return err
	}
	d, ok := pick(all, int(c.number), c.next != 0, func(d mapi.DeviceInfo) int { return d.ID })
	if !ok {
		return fail(mapi.ErrDeviceInfo, "info of device", errNone)
	}
	to := &c.device_info
	to.id = C.int(d.ID)
	put(to.device[:], d.Device)
	put(to.name[:], d.Name)
	put(to.alias[:], d.Alias)
	put(to.description[:], d.Description)
	to.link_speed, to.mpls, to.vlan = C.int(d.LinkSpeed), flag(d.MPLS), flag(d.VLAN)
	return nil
}

func (s *server) libraryInfo(ctx context.Context, c *C.struct_call) error {
	all, err := s.client.Libraries(ctx)
	if err != nil {
		return err
	}
	l, ok := pick(all, int(c.number), c.next != 0, func(l mapi.LibraryInfo) int { return l.ID })
	if !ok {
		return fail(mapi.ErrNotSupported, "info of library", errNone)
	}
	c.library_info.id = C.int(l.ID)
	put(c.library_info.libname[:], l.Name)
	setFunctions(&c.library_info, l.Functions)
	return nil
}

func (s *server) libFunctInfo(ctx context.Context, c *C.struct_call) error {
	all, err := s.client.LibraryFunctions(ctx, int(c.number))
	if err != nil {
		return err
	}
	f, ok := pick(all, int(c.fid), c.next != 0, func(f mapi.LibFunctInfo) int { return f.ID })
	if !ok {
		return fail(mapi.ErrNotSupported, "info of library function", errNone)
	}
	to := &c.libfunct_info
	put(to.name[:], f.Name)
	put(to.descr[:], f.Description)
	put(to.argdescr[:], f.ArgDescr)
	put(to.devtype[:], f.DevType)
	return nil
}

// flowAt returns the flow with the number, or with next the first flow with a higher
// number.
func (s *server) flowAt(ctx context.Context, fd int, next bool) (mapi.FlowInfo, error) {
	if !next {
		return s.client.FlowInfo(ctx, fd)
	}
	return as[mapi.FlowInfo](rawview.NextFlow(ctx, &s.client, fd))
}

// functionAt does the same for a function.
func (s *server) functionAt(ctx context.Context, fd, fid int, next bool) (mapi.FunctionInfo, error) {
	if !next {
		return s.client.FunctionInfo(ctx, fd, fid)
	}
	return as[mapi.FunctionInfo](rawview.NextFunction(ctx, &s.client, fd, fid))
}

// as gives the answer of package rawview its type.
func as[T any](info any, err error) (T, error) { return info.(T), err }

func (s *server) flowInfo(ctx context.Context, c *C.struct_call) error {
	f, err := s.flowAt(ctx, int(c.fd), c.next != 0)
	if err != nil {
		return err
	}
	to := &c.flow_info
	to.uid, to.fd, to.devid = C.uid_t(f.UID), C.int(f.FD), C.int(f.DeviceID)
	put(to.device[:], f.Device)
	to.num_functions = C.uint(f.Functions)
	to.start, to.end = seconds(f.Start), seconds(f.End)
	to.status = C.enum_mapi_flow_status(f.Status)
	return nil
}

func seconds(t time.Time) C.time_t {
	if t.IsZero() {
		return 0
	}
	return C.time_t(t.Unix())
}

func (s *server) functionInfo(ctx context.Context, c *C.struct_call) error {
	f, err := s.functionAt(ctx, int(c.fd), int(c.fid), c.next != 0)
	if err != nil {
		return err
	}
	to := &c.function_info
	to.fid = C.int(f.FID)
	put(to.name[:], f.Name)
	put(to.libname[:], f.Library)
	put(to.devtype[:], f.DevType)
	to.pkts, to.passed_pkts = C.ulonglong(f.Packets), C.ulonglong(f.Passed)
	to.result_size = C.int(f.ResultSize)
	return nil
}
