package mapi

import (
	"context"
	"errors"
	"io"

	"gomapi/internal/mapierr"
)

// GetNextPkt returns the next packet of a flow from its function fid, a
// TO_BUFFER. With the flag Wait it waits for a packet; with NoWait it returns
// nil if there is none. The packet is valid until the next call on the same
// function, or until the flow is closed. The error is io.EOF at the end of a capture file, when all packets
// were taken. Other errors: 6141 nothing was created yet, 6147 a number is not
// positive or there is no such function, 6145 no such flow, 6143 the flow is
// not connected, 6146 the function is not a TO_BUFFER.
func GetNextPkt(fd, fid int) (*Packet, error) {
	fn, err := std.taker(fd, fid)
	if err != nil {
		return nil, std.client.fail(err, "packet of function %d of flow %d", fid, fd)
	}
	if fn.buffer != nil && fn.buffer.noWait {
		return fn.TryNext()
	}
	return fn.Next(context.Background())
}

// taker returns the function of a flow to take packets from.
func (d *defaults) taker(fd, fid int) (*Function, error) {
	f, err := d.flow(fd, ErrInvalidFunction)
	switch {
	case err != nil:
		return nil, err
	case fid <= 0:
		return nil, mapierr.New(ErrInvalidFunction, "%d is not the number of a function", fid)
	case f.state() == FlowInit:
		return nil, mapierr.New(ErrFlowNotConnected, "flow %d is not connected", fd)
	}
	return d.function(f, fid)
}

// Loop calls callback for each of the next cnt packets of a flow, on the
// caller's goroutine, or for all packets if cnt is not positive. It returns the
// number of packets. At the end of a capture file, and with NoWait if there is
// no packet, it ends without error. It has the errors of GetNextPkt, and 7004
// if callback is nil.
func Loop(fd, fid, cnt int, callback func(*Packet)) (n int, err error) {
	_, err = std.taker(fd, fid)
	if err == nil && callback == nil {
		err = mapierr.New(ErrInvalidArgument4, "the callback is nil")
	}
	if err != nil {
		return 0, std.client.fail(err, "loop over function %d of flow %d", fid, fd)
	}
	for cnt <= 0 || n < cnt {
		p, err := GetNextPkt(fd, fid)
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		case p == nil:
			return n, nil
		}
		callback(p)
		n++
	}
	return n, nil
}
