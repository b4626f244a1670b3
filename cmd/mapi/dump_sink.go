package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/capfile"
	"gomapi/internal/pkt"
	"gomapi/mapi"
)

// flushSize is how many bytes are collected before a write while more packets
// arrive.
const flushSize = 64 << 10

// A sink collects packets in output format until flush writes them.
type sink struct {
	append  func(b []byte, p *mapi.Packet) []byte // returns b unchanged if the packet is left out
	pending []byte
	tally
	shown atomic.Pointer[tally] // as of the last write
	calls uint64
	w     io.Writer
	file  *os.File // file to close, or nil
}

// openSink selects the output format and truncates the output file.
func (d *dumping) openSink(ctx context.Context) error {
	d.sink.w, d.sink.append = d.stdout, d.text.lines(d.file == "")
	switch d.write {
	case "":
		if d.json {
			d.sink.append = d.text.objects(d.liveDevice())
		}
		return nil
	case "-":
	default:
		f, err := create(ctx, d.write)
		if err != nil {
			return err
		}
		d.sink.w, d.sink.file = output{f}, f
	}
	linkType := uint16(d.flow.LinkType())
	d.sink.append = recordsOf(linkType)
	d.sink.pending = capfile.AppendHead(nil, linkType)
	return nil
}

// create opens a file for writing and truncates it. It waits until a pipe has a
// reader: until then open fails with ENXIO (fifo(7)).
func create(ctx context.Context, name string) (*os.File, error) {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NONBLOCK, 0o600)
		if !errors.Is(err, unix.ENXIO) || modeOf(name)&os.ModeNamedPipe == 0 {
			return f, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("the pipe %s has no reader: %w", name, ctx.Err())
		}
	}
}

// add appends a packet, cut to snap bytes, and reports whether it is time to
// flush.
func (s *sink) add(p *mapi.Packet, snap uint32) bool {
	if uint64(len(p.Data)) > uint64(snap) {
		p.Data = p.Data[:snap]
	}
	before := len(s.pending)
	s.pending = s.append(s.pending, p)
	if len(s.pending) == before {
		s.leftOut++
	} else {
		s.taken++
	}
	s.calls++
	return len(s.pending) >= flushSize || s.calls%1024 == 0
}

func (s *sink) flush() error {
	if len(s.pending) == 0 {
		return nil
	}
	now := s.tally
	s.shown.Store(&now)
	_, err := s.w.Write(s.pending)
	s.pending = s.pending[:0]
	if err == nil {
		s.written = s.taken
	}
	return err
}

func (s *sink) close() error {
	err := s.flush()
	if s.file == nil {
		return err
	}
	if closed := s.file.Close(); err == nil {
		err = closed
	}
	return err
}

// recordsOf appends pcap records of packets of one link type. A pcap file
// cannot hold others.
func recordsOf(linkType uint16) func(b []byte, p *mapi.Packet) []byte {
	return func(b []byte, p *mapi.Packet) []byte {
		if p.LinkType != linkType {
			return b
		}
		return capfile.AppendRecord(b, &pkt.Packet{TS: p.TS, Link: p.Data, Wire: p.Wlen})
	}
}

// isTerminal reports whether w writes to a terminal.
func isTerminal(w io.Writer) bool {
	if o, ok := w.(output); ok {
		w = o.Writer
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
