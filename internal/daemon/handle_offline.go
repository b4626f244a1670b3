package daemon

import (
	"context"

	"gomapi/drivers"
	"gomapi/internal/foreign"
	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// maxPath is the maximum length of a file path in bytes. The name of the
// device, which is the path and a number, then still fits maxName.
const maxPath = maxName - 16

func (c *client) createOffline(ctx context.Context, m *wire.CreateOfflineDevice, r *request, resp *wire.Response) error {
	f, err := c.file(r, 0, m.Path)
	if err != nil {
		return err
	}
	name, err := c.session.CreateOffline(ctx, f, m.Path, drivers.Format(m.Format))
	if err != nil {
		return err
	}
	c.say("offline device %s created", clean(name, maxLogged))
	resp.Result = &wire.Response_OfflineDeviceCreated{OfflineDeviceCreated: &wire.OfflineDeviceCreated{Name: name}}
	return nil
}

// file takes over descriptor i of a request. The caller owns the file. name is
// the client's name of it, for error texts.
func (c *client) file(r *request, i uint32, name string) (*foreign.File, error) {
	if uint64(i) >= uint64(len(r.fds)) || r.fds[i] < 0 {
		return nil, mapierr.New(mapierr.NoFD, "%s: the request has no open file", name)
	}
	if len(name) > maxPath {
		return nil, mapierr.New(mapierr.File, "path of %d bytes exceeds the limit of %d", len(name), maxPath)
	}
	fd := r.fds[i]
	r.fds[i] = -1
	return c.session.OpenFile(fd, name)
}

func (c *client) startOffline(m *wire.StartOfflineDevice) error {
	if err := c.session.StartOffline(m.Name); err != nil {
		return err
	}
	c.say("offline device %s started", clean(m.Name, maxLogged))
	return nil
}

func (c *client) deleteOffline(m *wire.DeleteOfflineDevice) error {
	if err := c.session.DeleteOffline(m.Name); err != nil {
		return err
	}
	c.say("offline device %s deleted", clean(m.Name, maxLogged))
	return nil
}
