package mapitest

import (
	"context"
	"os"
	"syscall"
	"time"

	"gomapi/drivers"
	"gomapi/drivers/offline"
	"gomapi/internal/foreign"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// Play sends the packets of a capture file (pcap or pcapng, plain or gzip) at
// full speed and returns their number. It shifts all timestamps by the same
// amount so that the first packet is sent now, because flows ignore packets
// from before their Connect. Packets that are earlier than the first packet of
// the file get the time of the first. In addition to the errors of Device it
// returns 6155 if the file cannot be opened, is damaged, or has packets of
// another link type; the packets before have been sent.
func (d *Device) Play(path string) (packets int, err error) {
	if d.unknown != nil {
		return 0, d.unknown
	}
	// Open must not wait for the writer of a pipe; the driver rejects pipes.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, mapierr.Wrap(mapierr.File, "play", err)
	}
	own, err := foreign.Own(file)
	if err != nil {
		return 0, mapierr.Wrap(mapierr.File, "play", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	capture, err := offline.Driver{}.OpenFile(ctx, own)
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
	stop   func() // ends the read

	batch []drivers.Packet
	first uint64 // timestamp of the first packet in the file
	now   uint64 // its timestamp as sent
	sent  int
	err   error
}

// Pause implements drivers.Sink.
func (p *player) Pause(_, _ time.Duration) time.Time { return time.Time{} }

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
