package mapi

import (
	"context"
	"time"

	"gomapi/internal/wire"
)

func (c *Client) devices(ctx context.Context, id int, next bool, limit uint32) ([]DeviceInfo, error) {
	l, err := c.connection(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_Devices{
		Devices: &wire.DeviceQuery{Id: int32(id), Next: next, Limit: limit},
	}})
	if err != nil {
		return nil, err
	}
	var out []DeviceInfo
	for _, d := range resp.GetDevices().GetDevices() {
		out = append(out, DeviceInfo{
			ID: int(d.Id), Device: d.Device, Name: d.Driver, Alias: d.Alias, Description: d.Description,
			LinkSpeed: int(d.LinkSpeed), MPLS: d.Mpls, VLAN: d.Vlan,
			Status: DeviceStatus(d.Status), Unavailable: d.Unavailable,
		})
	}
	return out, nil
}

func (c *Client) libraries(ctx context.Context, id int, next bool, limit uint32) ([]LibraryInfo, error) {
	l, err := c.connection(ctx)
	if err != nil {
		return nil, err
	}
	return l.libraries(ctx, id, next, limit)
}

func (l *link) libraries(ctx context.Context, id int, next bool, limit uint32) ([]LibraryInfo, error) {
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_Libraries{
		Libraries: &wire.LibraryQuery{Id: int32(id), Next: next, Limit: limit},
	}})
	if err != nil {
		return nil, err
	}
	var out []LibraryInfo
	for _, lib := range resp.GetLibraries().GetLibraries() {
		out = append(out, LibraryInfo{ID: int(lib.Id), Name: lib.Name, Functions: int(lib.Functions)})
	}
	return out, nil
}

func (c *Client) libraryFunctions(ctx context.Context, library, id int, next bool, limit uint32) ([]LibFunctInfo, error) {
	l, err := c.connection(ctx)
	if err != nil {
		return nil, err
	}
	return l.libraryFunctions(ctx, library, id, next, limit)
}

func (l *link) libraryFunctions(ctx context.Context, library, id int, next bool, limit uint32) ([]LibFunctInfo, error) {
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_LibraryFunctions{
		LibraryFunctions: &wire.LibraryFunctionQuery{Library: int32(library), Id: int32(id), Next: next, Limit: limit},
	}})
	if err != nil {
		return nil, err
	}
	var out []LibFunctInfo
	for _, f := range resp.GetLibraryFunctions().GetFunctions() {
		info := LibFunctInfo{
			ID: int(f.Id), Name: f.Name, Description: f.Description, ArgDescr: f.Argdescr,
			DevType: f.Devtype, Result: f.Result, Example: f.Example, Call: f.Call, Fields: resultFields(f.Fields), Text: f.Text,
		}
		for _, a := range f.Args {
			info.Args = append(info.Args, ArgInfo{Name: a.Name, Kind: a.Kind, Doc: a.Doc, Optional: a.Optional, Default: a.Default, Range: a.Range, Added: a.Added})
		}
		out = append(out, info)
	}
	return out, nil
}

func resultFields(fields []*wire.Field) (out []ResultField) {
	for _, f := range fields {
		out = append(out, ResultField{
			Name: f.Name, Kind: f.Kind, Unit: f.Unit, When: f.When,
			Optional: f.Optional, Hidden: f.Hidden, Words: f.Words, Rows: resultFields(f.Rows),
		})
	}
	return out
}

func (c *Client) flows(ctx context.Context, fd int, next bool, limit uint32) ([]FlowInfo, error) {
	l, err := c.connection(ctx)
	if err != nil {
		return nil, err
	}
	return l.flows(ctx, fd, next, limit)
}

func (l *link) flows(ctx context.Context, fd int, next bool, limit uint32) ([]FlowInfo, error) {
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_Flows{
		Flows: &wire.FlowQuery{Fd: int32(fd), Next: next, Limit: limit},
	}})
	if err != nil {
		return nil, err
	}
	var out []FlowInfo
	for _, f := range resp.GetFlows().GetFlows() {
		info := FlowInfo{
			UID: f.Uid, PID: int(f.Pid), Program: f.Program, FD: int(f.Fd), DeviceID: int(f.Devid), Device: f.Device, Functions: int(f.Functions),
			Start: fromSeconds(f.Start), End: fromSeconds(f.End), Status: FlowStatus(f.Status),
			Books: fromWire(f.Books),
		}
		if f.Error != nil {
			info.Err = remoteError(f.Error)
		}
		out = append(out, info)
	}
	return out, nil
}

func (c *Client) functions(ctx context.Context, fd, fid int, next bool, limit uint32) ([]FunctionInfo, error) {
	l, err := c.connection(ctx)
	if err != nil {
		return nil, err
	}
	return l.functions(ctx, fd, fid, next, limit)
}

func (l *link) functions(ctx context.Context, fd, fid int, next bool, limit uint32) ([]FunctionInfo, error) {
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_Functions{
		Functions: &wire.FunctionQuery{Fd: int32(fd), Fid: int32(fid), Next: next, Limit: limit},
	}})
	if err != nil {
		return nil, err
	}
	var out []FunctionInfo
	for _, f := range resp.GetFunctions().GetFunctions() {
		out = append(out, FunctionInfo{
			FID: int(f.Fid), Name: f.Name, Library: f.Library, DevType: f.Devtype,
			Packets: f.Packets, Passed: f.Passed, ResultSize: int(f.ResultSize),
			Args: f.Args, Books: fromWire(f.Books),
		})
	}
	return out, nil
}

func fromSeconds(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0)
}
