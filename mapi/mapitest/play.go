package mapitest

import (
	"context"
	"os"
	"syscall"
	"time"

	"gomapi/drivers"
	"gomapi/drivers/offline"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// Play sends the packets of a capture file (pcap or pcapng, plain or gzip) at
// full speed and returns how many it has sent. Their time stamps are moved, all
// by the same, so that the first one is now, since flows see nothing from before
// their Connect; what a file has in disorder before its first packet becomes as
// late as that. Errors besides those of Device: 6155 the file cannot be opened,
// is damaged, or has packets of another link type; those before have been sent.
func (d *Device) Play(path string) (packets int, err error) {
	if d.unknown != nil {
		return 0, d.unknown
	}
	// Opening a pipe must not wait for a writer: the driver refuses pipes.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, mapierr.Wrap(mapierr.File, "play", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	capture, err := offline.Driver{}.OpenFile(ctx, file)
	if err != nil {
		return 0, err
	}
	defer capture.Close()
	p := &player{device: d, path: path, stop: cancel}
	err = capture.Run(ctx, p)
	if p.err != nil {
		err = p.err
	}
	return p.sent, err
}

// A player passes packets of a file on to a device.
type player struct {
	device *Device
	path   string
	stop   func() // ends the reading

	batch []drivers.Packet
	first uint64 // time stamp of the first packet in the file
	now   uint64 // and as it was sent
	sent  int
	err   error
}

// Pause implements drivers.Sink.
func (p *player) Pause(time.Duration) time.Time { return time.Time{} }

// Batch implements drivers.Sink.
func (p *player) Batch(pkts []drivers.Packet) {
	if p.err != nil {
		return
	}
	p.batch = p.batch[:0]
	if p.now == 0 {
		p.first, p.now = pkts[0].TS, pkt.FromTime(time.Now())
	}
	for _, v := range pkts {
		if v.LinkType != p.device.linkType {
			p.fail(mapierr.New(mapierr.File, "%s: packet %d has link type %d, device %s has %d: set DeviceSpec.LinkType",
				p.path, p.sent+len(p.batch)+1, v.LinkType, p.device.name, p.device.linkType))
			break
		}
		v.TS = p.now + max(v.TS, p.first) - p.first
		p.batch = append(p.batch, v)
	}
	if err := p.device.hand(p.batch); err != nil {
		p.fail(err)
		return
	}
	p.sent += len(p.batch)
}

func (p *player) fail(err error) {
	p.err = err
	p.stop()
}
