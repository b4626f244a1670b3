package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/sirupsen/logrus"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// maxErrorText is the maximum length of an error text to a client, in bytes.
const maxErrorText = 8 << 10

// answer handles one request and sends the response. An error ends the
// connection.
func (c *client) answer(ctx context.Context, r request) error {
	if hello, ok := r.Call.(*wire.Request_Hello); ok && !c.greeted {
		return c.greet(r.Id, hello.Hello)
	}
	if !c.greeted || r.Id == 0 {
		c.refuse(mapierr.New(mapierr.CommUnknown, "request without id, or before hello"))
		return fmt.Errorf("request %d of kind %T before hello", r.Id, r.Call)
	}
	resp, err := c.guarded(ctx, &r)
	resp.Id = r.Id
	if r.replied != nil {
		defer r.replied()
	}
	return errors.Join(c.conn.Send(resp, r.reply...), err)
}

// guarded handles a request. A panic ends the connection of this client, never
// the daemon.
func (c *client) guarded(ctx context.Context, r *request) (resp *wire.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.sayAt(logrus.ErrorLevel, "request %T: panic: %v\n%s", r.Call, p, debug.Stack())
			err = mapierr.New(mapierr.CommUnknown, "internal error of the daemon: %v", p)
			resp = &wire.Response{Error: wireError(err)}
		}
	}()
	return c.handle(ctx, r), nil
}

// greet answers the first message. The answer carries the result memory.
func (c *client) greet(id uint64, m *wire.Hello) error {
	if m.Version != wire.Version {
		err := mapierr.New(mapierr.CommUnknown, "the program uses protocol version %d, mapid %s uses version %d: "+
			"build both from the same release", m.Version, c.daemon.Version, wire.Version)
		_ = c.conn.Send(&wire.Response{Id: id, Error: wireError(err)})
		return err
	}
	if m.OnBehalf != "" {
		if err := c.actFor(m.OnBehalf); err != nil {
			_ = c.conn.Send(&wire.Response{Id: id, Error: wireError(err)})
			return err
		}
	}
	c.greeted = true
	c.session.ContinueAfter(m.After)
	c.sayAt(logrus.DebugLevel, "client connected")
	return c.conn.Send(&wire.Response{Id: id, Result: &wire.Response_Welcome{Welcome: &wire.Welcome{
		Version: wire.Version, Daemon: "mapid " + c.daemon.Version,
	}}}, c.session.Results())
}

// actFor gives the connection a session of the client for whom the program acts.
func (c *client) actFor(client string) error {
	owner, err := c.daemon.onBehalf(c.owner, client)
	if err != nil {
		return err
	}
	session, err := c.daemon.engine.NewSession(owner, c.notify)
	if err != nil {
		return err
	}
	c.session.Close()
	c.owner, c.session = owner, session
	c.log = c.log.WithField("client", client)
	return nil
}

// handle calls the handler of a request.
func (c *client) handle(ctx context.Context, r *request) *wire.Response {
	resp := &wire.Response{}
	var err error
	switch m := r.Call.(type) {
	case *wire.Request_CreateFlow:
		err = c.createFlow(ctx, m.CreateFlow, resp)
	case *wire.Request_ApplyFunction:
		err = c.applyFunction(ctx, m.ApplyFunction, r, resp)
	case *wire.Request_Connect:
		err = c.connect(ctx, m.Connect)
	case *wire.Request_CloseFlow:
		err = c.closeFlow(m.CloseFlow)
	case *wire.Request_CreateOfflineDevice:
		err = c.createOffline(ctx, m.CreateOfflineDevice, r, resp)
	case *wire.Request_StartOfflineDevice:
		err = c.startOffline(m.StartOfflineDevice)
	case *wire.Request_DeleteOfflineDevice:
		err = c.deleteOffline(m.DeleteOfflineDevice)
	case *wire.Request_Devices:
		err = c.devices(m.Devices, resp)
	case *wire.Request_Libraries:
		err = c.libraries(m.Libraries, resp)
	case *wire.Request_LibraryFunctions:
		err = c.libraryFunctions(m.LibraryFunctions, resp)
	case *wire.Request_DeviceStats:
		err = c.deviceStats(m.DeviceStats, resp)
	case *wire.Request_DeviceBooks:
		err = c.deviceBooks(m.DeviceBooks, resp)
	case *wire.Request_Flows:
		err = c.flows(m.Flows, resp)
	case *wire.Request_Users:
		err = c.users(m.Users, resp)
	case *wire.Request_Functions:
		err = c.functions(m.Functions, resp)
	default:
		err = mapierr.New(mapierr.CommUnknown, "unknown kind of request")
	}
	if err != nil {
		return &wire.Response{Error: wireError(err)}
	}
	return resp
}

// wireError converts an error to a message. Its text may contain arbitrary
// bytes from clients and files.
func wireError(err error) *wire.Error {
	return &wire.Error{
		Code: int32(mapierr.CodeOf(err, mapierr.CommUnknown)),
		Text: clean(err.Error(), maxErrorText),
	}
}

// clean makes text valid for a message: UTF-8 of at most limit bytes.
func clean(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
