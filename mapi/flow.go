package mapi

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"gomapi/internal/funcname"
	"gomapi/internal/mapierr"
	"gomapi/internal/shm"
	"gomapi/internal/wire"
)

// FlowStatus is the state of a flow, with the numbers of the original API.
type FlowStatus int

// States of a flow.
const (
	FlowInit     FlowStatus = 0 // created, functions can be applied
	FlowActive   FlowStatus = 1 // connected
	FlowFinished FlowStatus = 2 // the device has ended and no packet waits to be taken; results stay readable
	FlowClosed   FlowStatus = 3
)

func (s FlowStatus) String() string {
	return word(map[FlowStatus]string{
		FlowInit: "init", FlowActive: "active", FlowFinished: "finished", FlowClosed: "closed",
	}, "status", s)
}

// A Flow is packets of a device on their way through functions. It ends with
// Close or with its client.
type Flow struct {
	client   *Client
	link     *link
	fd       int
	device   string
	devtype  string
	linkType uint16
	place    *shm.FlowReader
	closed   atomic.Bool
	gone     chan struct{}     // closed with the flow
	unsure   atomic.Bool       // a call that changes the flow was given up, or half done
	unhidden funcname.Unhidden // of calls that have not come to the daemon, too; guarded by link.mu
	offline  *OfflineDevice    // made with the flow, started by Connect, deleted by Close
	buffers  []*Function       // with packet buffers; guarded by link.mu
}

// CreateFlow makes a flow of the packets of a device. The device is one that
// the daemon serves, see Devices, or the name of an offline device of this
// client. Errors: 6157 no name, 5124 no daemon answers, 3200 no such device,
// 1026 the device cannot be opened, 5123 remote scopes ("host:device"), which
// are not available.
func (c *Client) CreateFlow(ctx context.Context, device string) (*Flow, error) {
	f, err := c.createFlow(ctx, device)
	return f, c.fail(err, "create flow on %q", device)
}

func (c *Client) createFlow(ctx context.Context, device string) (*Flow, error) {
	if device == "" {
		return nil, mapierr.New(ErrDeviceInfo, "no device named")
	}
	l, err := c.connection(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_CreateFlow{
		CreateFlow: &wire.CreateFlow{Device: text(device)},
	}})
	if isCode(err, ErrNoDriver) && strings.Contains(device, ":") {
		// What the daemon does not know by that name is a scope.
		return nil, noScopes(err)
	}
	if err != nil {
		return nil, err
	}
	created := resp.GetFlowCreated()
	if created == nil {
		return nil, errAnswer
	}
	place, err := l.view.Flow(created.Offset)
	if err != nil {
		return nil, mapierr.Wrap(ErrNoResult, "place of the flow", err)
	}
	f := &Flow{
		client: c, link: l, fd: int(created.Fd), device: created.Device, devtype: created.Devtype, linkType: uint16(created.LinkType), place: place,
		gone: make(chan struct{}),
	}
	c.numbered(f.fd)
	l.mu.Lock()
	l.open[f] = struct{}{}
	l.mu.Unlock()
	return f, nil
}

// end marks the flow as closed and reports whether it was not before. It comes
// before the daemon is told: what is read of a closed flow may be another's.
func (f *Flow) end() bool {
	if f.closed.Swap(true) {
		return false
	}
	close(f.gone)
	f.link.mu.Lock()
	delete(f.link.open, f)
	buffers := f.buffers
	f.buffers = nil
	f.link.mu.Unlock()
	for _, b := range buffers {
		b.Close()
	}
	return true
}

// change sends a request that changes the flow. After one that was given up
// nobody knows what the flow is, so it can only be closed.
func (f *Flow) change(ctx context.Context, req *wire.Request, files ...*os.File) (response, error) {
	if f.unsure.Load() {
		wire.CloseAll(files)
		return response{}, mapierr.New(ErrCommSocket, "an earlier call on flow %d was given up or half done: close it and create another", f.fd)
	}
	resp, err := f.link.exchange(ctx, req, files...)
	var g givenUp
	if errors.As(err, &g) {
		f.unsure.Store(true)
	}
	return resp, err
}

// noScopes is the answer to a name that this host does not know and that may be
// a scope.
func noScopes(err error) error {
	return mapierr.Wrap(ErrCommSocket, "remote scopes are not available; on this host", err)
}

// errAnswer is the reason when the daemon answers something else than it was
// asked for.
var errAnswer = mapierr.New(ErrCommUnknown, "answer of an unexpected kind")

// text makes a string fit for a message. Names with other bytes than UTF-8
// exist for files only, and there the daemon's version of the name counts.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// FD is the number of the flow, unique in its client: 1, 2, 3 and so on.
func (f *Flow) FD() int { return f.fd }

// Device is the name of the flow's device.
func (f *Flow) Device() string { return f.device }

// LinkType is the DLT number of the device's packets, or of the first one in a
// file that mixes them.
func (f *Flow) LinkType() int { return int(f.linkType) }

// Status returns the state of the flow. It costs no system call. A flow from which
// the program takes packets has finished when all were taken. A buffer that the
// program has not asked for any does not matter: to wait for the end and then take packets is fine.
func (f *Flow) Status() FlowStatus {
	s := f.state()
	if s != FlowFinished {
		return s
	}
	f.link.mu.Lock()
	defer f.link.mu.Unlock()
	for _, fn := range f.buffers {
		if fn.buffer.Unread() {
			return FlowActive
		}
	}
	return FlowFinished
}

// state is Status without regard to packets that wait.
func (f *Flow) state() FlowStatus {
	if f.closed.Load() {
		return FlowClosed
	}
	return FlowStatus(f.place.Status())
}

// Start returns the time of Connect, zero before it.
func (f *Flow) Start() time.Time { return fromNanos(f.place.Start()) }

// End returns the time at which the device ended, zero before.
func (f *Flow) End() time.Time { return fromNanos(f.place.End()) }

func (f *Flow) errNotConnected() error {
	return mapierr.New(ErrFlowNotConnected, "flow %d is not connected", f.fd)
}

func fromNanos(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// Connect starts the flow: its functions see the packets that arrive from now
// on. Errors: 6145 the flow is closed, 3081 connected already, also when its device has
// ended since, 6142 the file was read to its end before, or the error with which the
// device has ended, 7007 a function that anonymizes (ANONYMIZE) could not be applied to
// the flow and was not later, and those of the functions; then the flow is as it was.
// When ctx ends before the daemon has answered (9000), the flow can only be closed.
func (f *Flow) Connect(ctx context.Context) error {
	return f.client.fail(f.connect(ctx), "connect flow %d", f.fd)
}

func (f *Flow) connect(ctx context.Context) error {
	if f.closed.Load() {
		return errClosed(f.fd)
	}
	if err := f.shows(); err != nil {
		return err
	}
	resp, err := f.change(ctx, &wire.Request{Call: &wire.Request_Connect{Connect: &wire.Connect{Fd: int32(f.fd)}}})
	wire.CloseAll(resp.files)
	if err == nil && f.offline != nil {
		err = f.offline.Start(ctx)
	}
	return err
}

// shows reports what a flow that is not connected yet would show though it was not to.
func (f *Flow) shows() error {
	if f.state() != FlowInit {
		return nil // the daemon says what is wrong
	}
	f.link.mu.Lock()
	defer f.link.mu.Unlock()
	return f.unhidden.Err(f.fd)
}

// Wait returns when the device has ended: nil at the end of a file, else the
// error with which the device ended, for instance 6155 for a damaged file;
// what was good of it has been delivered. On a live device it waits until that
// fails. Errors besides: 6143 the flow is not connected.
func (f *Flow) Wait(ctx context.Context) error {
	return f.client.fail(f.wait(ctx), "wait for flow %d", f.fd)
}

func (f *Flow) wait(ctx context.Context) error {
	switch f.state() {
	case FlowInit:
		return mapierr.New(ErrFlowNotConnected, "flow %d is not connected", f.fd)
	case FlowClosed:
		return errClosed(f.fd)
	}
	ended := func(int) bool { return f.state() != FlowActive }
	if _, err := f.link.ending(f.device).wait(ctx, f.link, f.gone, ended); err != nil {
		return err
	}
	if f.closed.Load() {
		return errClosed(f.fd)
	}
	// The state may be ahead of the event that brings the error.
	info, err := one(f.link.flows(ctx, f.fd, false, 1))
	if err != nil {
		return err // 6145 when the flow was closed with its device
	}
	return info.Err
}

// Close ends the flow. When it returns, its functions have finished what they
// were writing. A second Close gives 6145.
func (f *Flow) Close(ctx context.Context) error {
	return f.client.fail(f.close(ctx), "close flow %d", f.fd)
}

func (f *Flow) close(ctx context.Context) error {
	if !f.end() {
		return errClosed(f.fd)
	}
	_, err := f.link.call(ctx, &wire.Request{Call: &wire.Request_CloseFlow{CloseFlow: &wire.CloseFlow{Fd: int32(f.fd)}}})
	if f.offline != nil {
		if e := f.offline.Delete(ctx); err == nil {
			err = e
		}
	}
	return err
}
