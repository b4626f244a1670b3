package mapi

import (
	"context"
	"maps"
	"sync"

	"gomapi/internal/mapierr"
)

// std is the state of the package-level calls: the default client, and its
// flows and offline devices by number and name.
var std = defaults{flows: make(map[int]*numbered), offline: make(map[string]*OfflineDevice)}

type defaults struct {
	client Client

	mu      sync.Mutex
	inited  bool // a flow or offline device was created
	flows   map[int]*numbered
	offline map[string]*OfflineDevice
}

// numbered is a flow with its functions by number.
type numbered struct {
	*Flow
	functions map[int]*Function
}

// Errors of calls that are too early or lack a name.
var (
	errNotInitialized = mapierr.New(ErrNotInitialized, "create a flow or an offline device first")
	errNoFunction     = mapierr.New(ErrCouldNotApplyFunction, "the function name is empty")
)

// flow returns a flow by number. bad is the error number for fd <= 0.
func (d *defaults) flow(fd int, bad Code) (*numbered, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, ok := d.flows[fd]
	switch {
	case !d.inited:
		return nil, errNotInitialized
	case fd <= 0:
		return nil, mapierr.New(bad, "%d is not the number of a flow", fd)
	case !ok:
		return nil, mapierr.New(ErrInvalidFlow, "no flow %d", fd)
	}
	return f, nil
}

// function returns a function of f by number.
func (d *defaults) function(f *numbered, fid int) (*Function, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fn, ok := f.functions[fid]
	if !ok {
		return nil, mapierr.New(ErrInvalidFunction, "flow %d has no function %d", f.fd, fid)
	}
	return fn, nil
}

// add numbers a new flow.
func (d *defaults) add(f *Flow, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inited = true
	d.flows[f.fd] = &numbered{Flow: f, functions: make(map[int]*Function)}
	return f.fd, nil
}

// CreateFlow creates a flow of the packets of dev and returns its number, or
// -1. See Client.CreateFlow.
func CreateFlow(dev string) (fd int, err error) {
	return std.add(std.client.CreateFlow(context.Background(), dev))
}

// CreateOfflineFlow creates a flow on a capture file; Connect starts reading
// the file. See Client.CreateOfflineFlow.
func CreateOfflineFlow(path string, format Format) (fd int, err error) {
	return std.add(std.client.CreateOfflineFlow(context.Background(), path, format))
}

// ApplyFunction adds a function to a flow and returns its number, or -1. See
// Flow.Apply. Additional errors: 6141 nothing was created yet, 6147 fd is not
// positive, 6145 no such flow, 7006 the flow is connected.
func ApplyFunction(fd int, name string, args ...any) (fid int, err error) {
	return std.apply(fd, name, func(f *Flow) (*Function, error) {
		return f.Apply(context.Background(), name, args...)
	})
}

// apply calls do with the flow of this number, and numbers the function.
func (d *defaults) apply(fd int, name string, do func(*Flow) (*Function, error)) (fid int, err error) {
	fail := func(err error) (int, error) {
		return -1, d.client.fail(err, "apply %s to flow %d", name, fd)
	}
	f, err := d.flow(fd, ErrInvalidFunction)
	if name == "" && isCode(err, ErrInvalidFlow) {
		err = errNoFunction
	}
	if err != nil {
		return fail(err)
	}
	fn, err := do(f.Flow)
	if err != nil {
		return -1, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f.functions[fn.fid] = fn
	return fn.fid, nil
}

// Connect starts a flow. See Flow.Connect. Additional errors: 6141 nothing was
// created yet, 6145 no such flow.
func Connect(fd int) error {
	f, err := std.flow(fd, ErrInvalidFlow)
	if err != nil {
		return std.client.fail(err, "connect flow %d", fd)
	}
	return f.Connect(context.Background())
}

// Results are the result of ReadResults: one Result for each sensor of the
// flow's scope, in its order; one for a local flow.
type Results []Result

// Uint64 returns the first word of the first result, such as a counter, and 0
// if there is none. See Result.Uint64.
func (r Results) Uint64() uint64 {
	if len(r) == 0 {
		return 0
	}
	return r[0].Uint64()
}

// Int64 is Uint64 as a signed number, see Result.Int64.
func (r Results) Int64() int64 { return int64(r.Uint64()) }

// ReadResults copies the result of a function. For a series it waits for the
// next entry and returns io.EOF after the last one. For records it returns those that are
// there as one table. See Function.Read.
// Additional errors: 6141 nothing was created yet, 6145 no such flow, or fd or
// fid not positive, 6143 the flow is not connected, 6147 no such function, 6146
// the function has no result.
func ReadResults(fd, fid int) (Results, error) {
	fail := func(err error) (Results, error) {
		return nil, std.client.fail(err, "read function %d of flow %d", fid, fd)
	}
	f, err := std.flow(fd, ErrInvalidFlow)
	if err != nil {
		return fail(err)
	}
	if fid <= 0 {
		return fail(mapierr.New(ErrInvalidFlow, "%d is not the number of a function", fid))
	}
	if f.state() == FlowInit {
		return fail(mapierr.New(ErrFlowNotConnected, "flow %d is not connected", fd))
	}
	fn, err := std.function(f, fid)
	if err != nil {
		return fail(err)
	}
	r, err := fn.Read()
	if err != nil {
		return nil, err
	}
	return Results{r}, nil
}

// CloseFlow ends a flow. See Flow.Close. Errors: 6141 nothing was created yet,
// 6145 no such flow.
func CloseFlow(fd int) error {
	f, err := std.flow(fd, ErrInvalidFlow)
	if err != nil {
		return std.client.fail(err, "close flow %d", fd)
	}
	std.mu.Lock()
	delete(std.flows, fd)
	std.mu.Unlock()
	return f.Close(context.Background())
}

// CreateOfflineDevice creates a device from a capture file and returns its
// name. See Client.CreateOfflineDevice.
func CreateOfflineDevice(path string, format Format) (name string, err error) {
	d, err := std.client.CreateOfflineDevice(context.Background(), path, format)
	if err != nil {
		return "", err
	}
	std.mu.Lock()
	defer std.mu.Unlock()
	std.inited = true
	std.offline[d.name] = d
	return d.name, nil
}

// device returns an offline device by name. It returns nil for a name that does
// not belong to the program.
func (d *defaults) device(name string) (*OfflineDevice, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !d.inited:
		return nil, errNotInitialized
	case name == "":
		return nil, mapierr.New(ErrInvalidArgument1, "the device name is empty")
	}
	return d.offline[name], nil
}

// other asks the daemon about a name that does not belong to the program. For a
// live device the calls for offline devices do nothing, as in the original.
func (d *defaults) other(call func(l *link) error) error {
	l, err := d.client.connection(context.Background())
	if err != nil {
		return err
	}
	return call(l)
}

// StartOfflineDevice starts reading the file of an offline device. Errors: 6141
// nothing was created yet, 7001 empty name, 3202 no such device.
func StartOfflineDevice(name string) error {
	d, err := std.device(name)
	if d != nil {
		return d.Start(context.Background())
	}
	if err == nil {
		err = std.other(func(l *link) error { return l.startOffline(context.Background(), text(name)) })
	}
	return std.client.fail(err, "start offline device %q", name)
}

// WaitOfflineDevice waits until the file was read to its end. See
// OfflineDevice.Wait.
func WaitOfflineDevice(name string) error {
	d, err := std.device(name)
	if d != nil {
		return d.Wait(context.Background())
	}
	if err == nil {
		err = mapierr.New(ErrNoDevice, "no offline device %q", name)
	}
	return std.client.fail(err, "wait for offline device %q", name)
}

// DeleteOfflineDevice closes the flows on an offline device and deletes it. It
// has the errors of StartOfflineDevice.
func DeleteOfflineDevice(name string) error {
	d, err := std.device(name)
	if d != nil {
		std.forget(name)
		return d.Delete(context.Background())
	}
	if err == nil {
		err = std.other(func(l *link) error { return l.deleteOffline(context.Background(), text(name)) })
	}
	return std.client.fail(err, "delete offline device %q", name)
}

// forget removes an offline device and its flows from d.
func (d *defaults) forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.offline, name)
	maps.DeleteFunc(d.flows, func(_ int, f *numbered) bool { return f.device == name })
}

// ReadError returns the number and text of the last failed call and clears
// them. It returns 0 and "" if there is no error.
func ReadError() (code int, text string) { return std.client.ReadError() }

// IsRemote reports whether the flow is on other hosts. It returns 6145 if there
// is no such flow.
func IsRemote(fd int) (bool, error) {
	_, err := GetScopeSize(fd)
	return false, err
}

// GetScopeSize returns the number of sensors of the flow, which is the number
// of results of ReadResults. It returns 6145 if there is no such flow.
func GetScopeSize(fd int) (int, error) {
	std.mu.Lock()
	_, ok := std.flows[fd]
	std.mu.Unlock()
	if !ok {
		return -1, std.client.fail(mapierr.New(ErrInvalidFlow, "no flow %d", fd), "scope of flow %d", fd)
	}
	return 1, nil
}
