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
	FlowFinished FlowStatus = 2 // the device has ended and all packets were taken; results remain readable
	FlowClosed   FlowStatus = 3
)

func (s FlowStatus) String() string {
	return word(map[FlowStatus]string{
		FlowInit: "init", FlowActive: "active", FlowFinished: "finished", FlowClosed: "closed",
	}, "status", s)
}

// A Flow is a stream of packets of a device through functions. It ends with
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
	unsure   atomic.Bool       // a call that changes the flow was given up, or partly failed
	unhidden funcname.Unhidden // includes calls that did not reach the daemon; guarded by link.mu
	offline  *OfflineDevice    // created with the flow, started by Connect, deleted by Close
	buffers  []*Function       // functions with packet buffers; guarded by link.mu
}

// CreateFlow creates a flow of the packets of a device. device is a device of
// the daemon, see Devices, or the name of an offline device of this client.
// Errors: 6157 empty name, 5124 no daemon answers, 3200 no such device, 1026
// the device cannot be opened, 5123 remote scopes ("host:device"), which are
// not available.
func (c *Client) CreateFlow(ctx context.Context, device string) (*Flow, error) {
	f, err := c.createFlow(ctx, device)
	return f, c.fail(err, "create flow on %q", device)
}

func (c *Client) createFlow(ctx context.Context, device string) (*Flow, error) {
	if device == "" {
		return nil, mapierr.New(ErrDeviceInfo, "the device name is empty")
	}
	l, err := c.connection(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_CreateFlow{
		CreateFlow: &wire.CreateFlow{Device: text(device)},
	}})
	if isCode(err, ErrNoDriver) && strings.Contains(device, ":") {
		// If the daemon does not know a name with a colon, it is a scope.
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
		return nil, mapierr.Wrap(ErrNoResult, "state of the flow", err)
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

// end marks the flow as closed and reports whether it was open. It precedes the
// message to the daemon, because afterwards the memory of the flow may belong
// to another flow.
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

// change sends a request that changes the flow. After a request that was given
// up, the state of the flow is unknown, so it can only be closed.
func (f *Flow) change(ctx context.Context, req *wire.Request, files ...*os.File) (response, error) {
	if f.unsure.Load() {
		wire.CloseAll(files)
		return response{}, mapierr.New(ErrCommSocket, "an earlier call on flow %d was given up or partly failed: close the flow and create another", f.fd)
	}
	resp, err := f.link.exchange(ctx, req, files...)
	var g givenUp
	if errors.As(err, &g) {
		f.unsure.Store(true)
	}
	return resp, err
}

// noScopes is the error for a name that this host does not know and that may be
// a scope.
func noScopes(err error) error {
	return mapierr.Wrap(ErrCommSocket, "remote scopes are not available; on this host", err)
}

// errAnswer is the error for an unexpected response of the daemon.
var errAnswer = mapierr.New(ErrCommUnknown, "answer of an unexpected kind")

// text makes a string valid for a message. Only file names may have bytes that
// are not UTF-8, and for these the daemon's version of the name counts.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// FD is the number of the flow, unique in its client: 1, 2, 3 and so on.
func (f *Flow) FD() int { return f.fd }

// Device is the name of the flow's device.
func (f *Flow) Device() string { return f.device }

// LinkType is the DLT number of the device's packets, or of the first packet in
// a file with several link types.
func (f *Flow) LinkType() int { return int(f.linkType) }

// Status returns the state of the flow without a system call. A flow whose
// packets the program takes has finished when all were taken. A buffer from
// which the program has not asked for a packet does not count, so a program may wait
// for the end first and then take packets.
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

// state is Status without regard to waiting packets.
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

// errEnded is the error of a call on a flow that was closed, by the program or with the
// connection.
func (f *Flow) errEnded() error {
	if f.closed.Load() {
		return errClosed(f.fd)
	}
	return mapierr.Wrap(ErrCommSocket, "connection to mapid lost", errHungUp)
}

func (f *Flow) errNotConnected() error {
	return mapierr.New(ErrFlowNotConnected, "flow %d is not connected", f.fd)
}

func fromNanos(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// Connect starts the flow: its functions process the packets that arrive from
// now on. Errors: 6145 the flow is closed, 3081 the flow is already connected,
// even if its device has ended since, 6142 the file was read to its end before,
// or the error that ended the device, 7007 an anonymizing function (ANONYMIZE)
// could not be applied to the flow, neither then nor later, and errors of the
// functions; then the flow is unchanged. If ctx ends before the daemon has
// answered (9000), the flow can only be closed.
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

// shows returns an error if a flow that is not connected yet would show what it
// must not.
func (f *Flow) shows() error {
	if f.state() != FlowInit {
		return nil // the daemon reports the error
	}
	f.link.mu.Lock()
	defer f.link.mu.Unlock()
	return f.unhidden.Err(f.fd)
}

// Wait waits until the device has ended. It returns nil at the end of a file,
// else the error that ended the device, for instance 6155 for a damaged file;
// packets before the damage have been delivered. On a live device it waits
// until the device fails. Additional error: 6143 the flow is not connected.
func (f *Flow) Wait(ctx context.Context) error {
	return f.client.fail(f.wait(ctx), "wait for flow %d", f.fd)
}

func (f *Flow) wait(ctx context.Context) error {
	switch f.state() {
	case FlowInit:
		return mapierr.New(ErrFlowNotConnected, "flow %d is not connected", f.fd)
	case FlowClosed:
		return f.errEnded()
	}
	ended := func(int) bool { return f.state() != FlowActive }
	if _, err := f.link.ending(f.device).wait(ctx, f.link, f.gone, ended); err != nil {
		return err
	}
	if f.closed.Load() {
		return errClosed(f.fd)
	}
	// The state may change before the event with the error arrives.
	info, err := one(f.link.flows(ctx, f.fd, false, 1))
	if err != nil {
		return err // 6145 if the flow was closed with its device
	}
	return info.Err
}

// Close ends the flow. When it returns, its functions have finished their
// writes, packets that were not taken are lost, and the bytes of taken packets
// have become 0. A second Close returns 6145.
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
