package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// A decoder turns the bytes of one format into packets.
type decoder interface {
	// decode reads records from the start of b until pkts is full, a record is
	// incomplete or one is damaged. The first n packets are set and point into
	// b; used bytes of b are done with. need is 0 when pkts is full, else the
	// bytes that the next record is known to take. err is the damage of the
	// record at b[used:].
	decode(b []byte, pkts []pkt.Packet) (n, used, need int, err error)

	// more reads on until need bytes are unread, which the record at w's
	// position is known to take, or passes over a record that matters to
	// nobody. Errors are as with window.fill.
	more(w *window, need int) error
}

// device is one open capture file. Only the goroutine of Run touches the
// window, the decoder and the batch.
type device struct {
	file   *os.File
	zipped bool
	info   drivers.Info
	win    *window
	dec    decoder
	batch  [drivers.MaxBatch]pkt.Packet

	recv, truncated, outOfTime, errors atomic.Uint64

	last atomic.Uint64 // time stamp of the newest packet
}

func (d *device) Info() drivers.Info { return d.info }

// Run delivers the whole file, from the packet behind the head on. Damage ends
// it with 6155 and the byte offset of the damaged record, counted in the
// uncompressed stream. Afterwards the device holds no memory of the file.
func (d *device) Run(ctx context.Context, s drivers.Sink) error {
	defer d.release()
	return d.run(ctx, s)
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
			err = d.dec.more(d.win, need)
		}
		if err == io.EOF {
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

// release drops what only reading needs: a device may stay long after its file
// was read.
func (d *device) release() {
	d.win, d.dec = nil, nil
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

// reason says what is wrong with the record at the window's position.
func (d *device) reason(err error) error {
	place := fmt.Sprintf("record at byte offset %d", d.win.offset())
	if d.zipped {
		place += " of the uncompressed data"
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s is cut short: the file ends %d bytes into it", place, d.win.reached())
	}
	return fmt.Errorf("%s: %w", place, err)
}

// refused is the error of a file that is not opened at all.
func (d *device) refused(format string, args ...any) error {
	return mapierr.New(mapierr.File, "%s: %s", d.file.Name(), fmt.Sprintf(format, args...))
}

// Stats returns the counters so far. A damaged record is one of Recv and of
// Errors. None are waiting: what is read of a file is delivered at once, and
// what is not read has not been received.
func (d *device) Stats() drivers.Stats {
	return drivers.Stats{
		Recv:         d.recv.Load(),
		Truncated:    d.truncated.Load(),
		OutOfTime:    d.outOfTime.Load(),
		Errors:       d.errors.Load(),
		LastPacketTS: d.last.Load(),
	}
}

func (d *device) Close() error {
	if err := d.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return mapierr.Wrap(mapierr.File, "close "+d.file.Name(), err)
	}
	return nil
}
