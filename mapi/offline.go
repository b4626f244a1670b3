package mapi

import (
	"context"
	"os"
	"sync"
	"syscall"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// Format is the format of a capture file, with the numbers of the original API.
type Format int

// Formats of capture files. The daemon supports the formats of its drivers.
const (
	FormatPCAP     Format = 0 // MFF_PCAP: pcap and pcapng, plain or gzip
	FormatRaw      Format = 1 // MFF_RAW: native format of an adapter
	FormatDAGERF   Format = 2 // MFF_DAG_ERF
	FormatCombo6   Format = 3 // MFF_COMBO6
	FormatNapatech Format = 4 // MFF_NAPATECH
)

func (f Format) String() string {
	return word(map[Format]string{
		FormatPCAP: "pcap", FormatRaw: "raw", FormatDAGERF: "ERF", FormatCombo6: "Combo6", FormatNapatech: "Napatech",
	}, "format", f)
}

// An OfflineDevice is a capture file used as a device. Flows are created on it
// by its name. They see only the packets read after they were connected, so
// connect them before Start.
type OfflineDevice struct {
	client *Client
	link   *link
	name   string
	once   sync.Once
	gone   chan struct{} // closed with the device
}

// CreateOfflineDevice creates a device from a capture file. The program opens
// the file with its own rights and passes it to the daemon, which reads it.
// Errors: 6155 the file cannot be opened, is not a regular file or not readable
// in that format, 3200 the daemon does not support the format, 5124 no daemon
// answers.
func (c *Client) CreateOfflineDevice(ctx context.Context, path string, format Format) (*OfflineDevice, error) {
	d, err := c.createOffline(ctx, path, format)
	return d, c.fail(err, "create offline device of %q", path)
}

func (c *Client) createOffline(ctx context.Context, path string, format Format) (*OfflineDevice, error) {
	// Open must not wait for the writer of a pipe; the daemon rejects pipes.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, mapierr.Wrap(ErrFile, "open the capture file", err)
	}
	st, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, mapierr.Wrap(ErrFile, "get the state of the capture file", err)
	}
	l, err := c.connection(ctx)
	if err != nil {
		file.Close()
		return nil, err
	}
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_CreateOfflineDevice{
		CreateOfflineDevice: &wire.CreateOfflineDevice{Path: text(path), Format: int32(format)},
	}}, file)
	if err != nil {
		return nil, err
	}
	created := resp.GetOfflineDeviceCreated()
	if created == nil {
		return nil, errAnswer
	}
	l.mu.Lock()
	l.captures[created.Name] = st
	l.mu.Unlock()
	return &OfflineDevice{client: c, link: l, name: created.Name, gone: make(chan struct{})}, nil
}

// Name is the name for CreateFlow: the path, "@" and a number.
func (d *OfflineDevice) Name() string { return d.name }

// Start starts reading the file, at full speed and only once. It does nothing
// if the device was started before. It returns 3202 if the device was deleted.
func (d *OfflineDevice) Start(ctx context.Context) error {
	return d.client.fail(d.link.startOffline(ctx, d.name), "start offline device %q", d.name)
}

func (l *link) startOffline(ctx context.Context, name string) error {
	_, err := l.call(ctx, &wire.Request{Call: &wire.Request_StartOfflineDevice{
		StartOfflineDevice: &wire.StartOfflineDevice{Name: name},
	}})
	return err
}

// Wait waits until the file was read to its end. It returns nil, or the error
// that ended it early: 6155 with the offset for a damaged file; 3202 if the
// device is deleted.
func (d *OfflineDevice) Wait(ctx context.Context) error {
	last, err := d.link.ending(d.name).wait(ctx, d.link, d.gone, func(times int) bool { return times > 0 })
	select {
	case <-d.gone:
		err = mapierr.New(ErrNoDevice, "the device was deleted")
	default:
	}
	if err == nil {
		err = last
	}
	return d.client.fail(err, "wait for offline device %q", d.name)
}

// Delete closes the flows on the device and deletes it. It returns 3202 if the
// device was already deleted.
func (d *OfflineDevice) Delete(ctx context.Context) error {
	d.end()
	return d.client.fail(d.link.deleteOffline(ctx, d.name), "delete offline device %q", d.name)
}

func (l *link) deleteOffline(ctx context.Context, name string) error {
	_, err := l.call(ctx, &wire.Request{Call: &wire.Request_DeleteOfflineDevice{
		DeleteOfflineDevice: &wire.DeleteOfflineDevice{Name: name},
	}})
	return err
}

// end marks the device as deleted and its flows as closed. It precedes the
// message to the daemon, because afterwards the memory of the flows may belong
// to others.
func (d *OfflineDevice) end() {
	d.once.Do(func() { close(d.gone) })
	d.link.mu.Lock()
	delete(d.link.devices, d.name)
	delete(d.link.captures, d.name)
	var flows []*Flow
	for f := range d.link.open {
		if f.device == d.name {
			flows = append(flows, f)
		}
	}
	d.link.mu.Unlock()
	for _, f := range flows {
		f.end()
	}
}

// CreateOfflineFlow creates a device from a capture file and a flow on it.
// Connect starts reading the file; Close deletes the device.
func (c *Client) CreateOfflineFlow(ctx context.Context, path string, format Format) (*Flow, error) {
	d, err := c.CreateOfflineDevice(ctx, path, format)
	if err != nil {
		return nil, err
	}
	f, err := c.CreateFlow(ctx, d.name)
	if err != nil {
		_ = d.Delete(ctx) // return the first error
		return nil, err
	}
	f.offline = d
	return f, nil
}
