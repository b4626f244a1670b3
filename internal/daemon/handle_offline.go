package daemon

import (
	"context"
	"os"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// maxPath is the maximum length of a file path in bytes. The name of the
// device, which is the path and a number, then still fits maxName.
const maxPath = maxName - 16

func (c *client) createOffline(ctx context.Context, m *wire.CreateOfflineDevice, r *request, resp *wire.Response) error {
	f, err := r.file(0, m.Path)
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

// file duplicates descriptor i of a request. The caller owns the file. name is
// the client's name of it, for error texts.
func (r *request) file(i uint32, name string) (*os.File, error) {
	if int(i) >= len(r.files) {
		return nil, mapierr.New(mapierr.NoFD, "%s: the request has no open file", name)
	}
	if len(name) > maxPath {
		return nil, mapierr.New(mapierr.File, "path of %d bytes exceeds the limit of %d", len(name), maxPath)
	}
	fd, err := unix.FcntlInt(r.files[i].Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, mapierr.Wrap(mapierr.File, name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
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
