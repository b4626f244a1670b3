package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"gomapi/drivers"
	"gomapi/internal/foreign"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// A decoder decodes packets from the bytes of one format.
type decoder interface {
	// decode reads records from the start of b until pkts is full, a record is
	// incomplete or a record is damaged. The first n packets are set and point
	// into b; used is the number of bytes consumed. need is 0 if pkts is full,
	// else the known size of the next record. err describes the damage of the
	// record at b[used:].
	decode(b []byte, pkts []pkt.Packet) (n, used, need int, err error)

	// more reads until need bytes are unread, the known size of the record at
	// w's position, or skips an irrelevant record. It has the errors of
	// window.fill.
	more(w *window, need int) error
}

// device is one open capture file. Only the goroutine of Run uses the window,
// the decoder and the batch.
type device struct {
	file   *foreign.File
	raw    *foreign.Reader
	zipped bool
	info   drivers.Info
	win    *window
	dec    decoder
	batch  [drivers.MaxBatch]pkt.Packet

	recv, truncated, outOfTime, errors, skipped atomic.Uint64

	last atomic.Uint64 // timestamp of the newest packet
}

func (d *device) Info() drivers.Info { return d.info }

// Run delivers the whole file, starting after the header. Damage ends it with
// 6155 and the byte offset of the damaged record in the uncompressed stream.
// Afterwards the device holds no memory for the file, unless a read hangs.
func (d *device) Run(ctx context.Context, s drivers.Sink) error {
	ended := make(chan error, 1)
	if !d.raw.Attend(ctx, func() {
		defer d.release()
		ended <- d.run(ctx, s)
	}) {
		return nil
	}
	return <-ended
}

func (d *device) run(ctx context.Context, s drivers.Sink) error {
	for ctx.Err() == nil {
		n, used, need, err := d.dec.decode(d.win.unread(), d.batch[:])
		d.win.advance(used)
		if n > 0 {
			d.count(d.batch[:n])
			s.Batch(d.batch[:n])
		}
		if err == nil && need > 0 {
			err = d.more(ctx, s, need)
		}
		if err == io.EOF || err != nil && err == ctx.Err() {
			return nil
		}
		if err != nil {
			d.recv.Add(1)
			d.errors.Add(1)
			return mapierr.New(mapierr.File, "%s: %v; the packets before it were delivered", d.file.Name(), d.reason(err))
		}
	}
	return nil
}

// more reads the next part of the file. Meanwhile the sink rests. When ctx has ended, the sink
// may be gone, because Run leaves a read that hangs behind.
func (d *device) more(ctx context.Context, s drivers.Sink, need int) error {
	r, ok := s.(drivers.Rester)
	if !ok {
		return d.dec.more(d.win, need)
	}
	r.Rest()
	err := d.dec.more(d.win, need)
	if ctx.Err() == nil {
		r.Resume()
	}
	return err
}

// release frees what only reading needs, because a device may remain open long
// after its file was read.
func (d *device) release() {
	d.win, d.dec, d.raw = nil, nil, nil
}

func (d *device) count(pkts []pkt.Packet) {
	var cut, outOfTime uint64
	for i := range pkts {
		if pkts[i].Flags&pkt.Truncated != 0 {
			cut++
		}
		if pkts[i].Flags&pkt.OutOfTime != 0 {
			outOfTime++
		}
	}
	d.recv.Add(uint64(len(pkts)))
	d.truncated.Add(cut)
	d.outOfTime.Add(outOfTime)
	d.last.Store(pkts[len(pkts)-1].TS)
}

// reason describes the damage of the record at the window's position.
func (d *device) reason(err error) error {
	place := fmt.Sprintf("record at byte offset %d", d.win.offset())
	if d.zipped {
		place += " of the uncompressed data"
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s is truncated: the file ends after %d bytes of it", place, d.win.reached())
	}
	return fmt.Errorf("%s: %w", place, err)
}

// refused is the error for a file that cannot be opened.
func (d *device) refused(format string, args ...any) error {
	return mapierr.New(mapierr.File, "%s: %s", d.file.Name(), fmt.Sprintf(format, args...))
}

// Stats returns the current counters. A damaged record counts in Recv and in
// Errors. Waiting is 0: packets are delivered as soon as they are read, and
// unread packets do not count as received. SkippedRecords counts blocks of a
// pcapng file that neither carry nor describe packets.
func (d *device) Stats() drivers.Stats {
	return drivers.Stats{
		Recv:           d.recv.Load(),
		Truncated:      d.truncated.Load(),
		OutOfTime:      d.outOfTime.Load(),
		Errors:         d.errors.Load(),
		SkippedRecords: d.skipped.Load(),
		LastPacketTS:   d.last.Load(),
	}
}

// Close never waits for the file.
func (d *device) Close() error {
	d.file.Close()
	return nil
}
