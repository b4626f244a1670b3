// Package offline reads capture files: pcap and pcapng, plain or gzip.
//
// It accepts the files that libpcap accepts (microsecond, nanosecond and
// Kuznetzov pcap in both byte orders, versions 2.0 to 2.4 and 543.0). For
// pcapng it also accepts what libpcap rejects: sections of different byte
// order, interfaces with different link types and snapshot lengths. It rejects
// other formats with an error that names them.
//
//	dev, err := offline.Driver{}.OpenFile(ctx, file)
//	err = dev.Run(ctx, sink)
//
// A file passes through three small parts. A source is the stream of
// the file (source.go), a window holds its unread bytes (window.go),
// and a decoder for each format turns them into packets (pcap.go, pcapng.go).
// The packets of a batch point into the window, which continues to read only
// after the sink has returned. One buffer serves the whole file. Only the
// record that the end of the window splits is copied. A record larger than the
// window temporarily gets a larger buffer. pcapng blocks that neither carry nor
// describe packets are skipped unread.
//
// No length in a file is trusted. For inconsistent files, libpcap is the model.
// Damage that libpcap rejects ends Run with an error that has the byte offset,
// after all packets before it have been delivered.
package offline

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"

	"gomapi/drivers"
	"gomapi/internal/foreign"
	"gomapi/internal/mapierr"
)

// Driver opens pcap and pcapng files. The zero value is ready to use by any
// number of goroutines.
type Driver struct{}

var _ drivers.FileDriver = Driver{}

// OpenFile reads the header of f for Device.Info: a pcap file header, or a
// pcapng section header and the first interface after it within the first 16
// MiB. A pcapng file without packets and interfaces counts as Ethernet. All
// errors are 6155.
func (Driver) OpenFile(ctx context.Context, f *foreign.File) (drivers.Device, error) {
	d, err := open(ctx, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return d, nil
}

func open(ctx context.Context, f *foreign.File) (*device, error) {
	if err := f.Capture(ctx); err != nil {
		return nil, mapierr.Wrap(mapierr.File, f.Name()+" cannot be read", err)
	}
	d := &device{file: f, raw: foreign.NewReader(ctx, f)}
	src, zipped, err := newSource(d.raw)
	if err != nil {
		return nil, mapierr.Wrap(mapierr.File, f.Name()+" cannot be read", err)
	}
	d.zipped = zipped
	d.win = newWindow(src)
	if err := d.readHead(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// readHead selects the decoder by the first bytes and makes it read the header.
func (d *device) readHead(ctx context.Context) error {
	err := d.win.fill(pcapFileHead)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return mapierr.Wrap(mapierr.File, d.file.Name()+" cannot be read", err)
	}
	head := d.win.unread()[:min(len(d.win.unread()), pcapFileHead)]
	if len(head) < 4 {
		return d.refused("%d bytes are too few for a pcap or pcapng file", len(head))
	}
	if binary.LittleEndian.Uint32(head) == blockSection {
		return d.openPcapng(ctx)
	}
	if _, ok := magicOf(head); ok {
		return d.openPcap(head)
	}
	return d.refused("not a pcap or pcapng file%s", guess(head))
}

func (d *device) openPcap(head []byte) error {
	r, err := newPcapReader(head)
	if err != nil {
		return d.refused("%v", err)
	}
	d.win.advance(pcapFileHead)
	d.dec, d.info = r, r.info()
	return nil
}

func (d *device) openPcapng(ctx context.Context) error {
	r := &pcapngReader{skipped: &d.skipped}
	if err := r.readHead(ctx, d.win); err != nil {
		if err == ctx.Err() {
			return mapierr.Wrap(mapierr.File, d.file.Name()+" was not opened", err)
		}
		return d.refused("%v", d.reason(err))
	}
	d.dec, d.info = r, r.info()
	return nil
}

// signatures are the first bytes of other formats that users try to open.
var signatures = []struct{ magic, hint string }{
	{"\x28\xb5\x2f\xfd", ": it is compressed with zstd; decompress it first"},
	{"\xfd7zXZ\x00", ": it is compressed with xz; decompress it first"},
	{"BZh", ": it is compressed with bzip2; decompress it first"},
	{"\x1f\x8b", ": it is compressed twice; decompress it first"},
	{"snoop\x00\x00\x00", ": it is a snoop file; convert it with editcap"},
	{"GMBU", ": it is a Network Monitor file; convert it with editcap"},
}

// guess describes a file of an unknown format, for the error text.
func guess(head []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return s.hint
		}
	}
	switch {
	case isText(head):
		return ": it looks like text"
	case isERF(head):
		return ": it looks like ERF, which this build does not read"
	}
	return ": it begins with bytes of no known capture format"
}

func isText(head []byte) bool {
	for _, c := range head {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// isERF reports whether head can be an ERF record header: 8 bytes of time, a
// type of 1 to 48 below the extension bit, flags, and a record length of at
// least the 16 bytes of the header.
func isERF(head []byte) bool {
	if len(head) < 16 {
		return false
	}
	kind := head[8] & 0x7f
	return kind >= 1 && kind <= 48 && binary.BigEndian.Uint16(head[10:]) >= 16
}
