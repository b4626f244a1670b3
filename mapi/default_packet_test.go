package mapi_test

import (
	"io"
	"testing"

	"gomapi/mapi"
)

// TestTutorialCalls takes packets with the calls of the original.
func TestTutorialCalls(t *testing.T) {
	name, err := mapi.CreateOfflineDevice("trace.pcap", mapi.FormatPCAP)
	must(err)
	fd, err := mapi.CreateFlow(name)
	must(err)
	fid, err := mapi.ApplyFunction(fd, "TO_BUFFER")
	must(err)
	nowait, err := mapi.ApplyFunction(fd, "TO_BUFFER", mapi.NoWait)
	must(err)
	counter, err := mapi.ApplyFunction(fd, "PKT_COUNTER")
	must(err)
	_, err = mapi.ApplyFunction(fd, "TO_BUFFER", 2)
	wantCode(t, "TO_BUFFER with another flag", err, mapi.ErrInvalidArgument1)

	_, err = mapi.GetNextPkt(fd, 4711)
	wantCode(t, "packet before connect", err, mapi.ErrFlowNotConnected)
	must(mapi.Connect(fd))
	if p, err := mapi.GetNextPkt(fd, nowait); p != nil || err != nil {
		t.Errorf("no packet: %v, %v", p, err)
	}
	must(mapi.StartOfflineDevice(name))
	p, err := mapi.GetNextPkt(fd, fid)
	if err != nil || len(p.Data) != 60 {
		t.Errorf("first packet is %v, %v", p, err)
	}
	if n, err := mapi.Loop(fd, fid, 2, func(p *mapi.Packet) {}); n != 2 || err != nil {
		t.Errorf("loop over 2 packets: %d, %v", n, err)
	}
	if n, err := mapi.Loop(fd, fid, -1, func(p *mapi.Packet) {}); n != 2 || err != nil {
		t.Errorf("loop to the end: %d, %v", n, err)
	}
	if _, err := mapi.GetNextPkt(fd, fid); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	_, err = mapi.GetNextPkt(0, fid)
	wantCode(t, "packet of flow 0", err, mapi.ErrInvalidFunction)
	_, err = mapi.GetNextPkt(fd, -1234)
	wantCode(t, "packet of function -1234", err, mapi.ErrInvalidFunction)
	_, err = mapi.GetNextPkt(4711, fid)
	wantCode(t, "packet of an unknown flow", err, mapi.ErrInvalidFlow)
	_, err = mapi.GetNextPkt(fd, 4711)
	wantCode(t, "packet of an unknown function", err, mapi.ErrInvalidFunction)
	_, err = mapi.GetNextPkt(fd, counter)
	wantCode(t, "packet of a counter", err, mapi.ErrNoResult)
	_, err = mapi.Loop(-123, fid, 1, func(*mapi.Packet) {})
	wantCode(t, "loop over flow -123", err, mapi.ErrInvalidFunction)
	_, err = mapi.Loop(fd, -12348, 1, func(*mapi.Packet) {})
	wantCode(t, "loop over function -12348", err, mapi.ErrInvalidFunction)
	_, err = mapi.Loop(fd, fid, 1, nil)
	wantCode(t, "loop without a callback", err, mapi.ErrInvalidArgument4)
	must(mapi.DeleteOfflineDevice(name))
}

// TestLoopErrorPairs checks which of several errors has precedence.
func TestLoopErrorPairs(t *testing.T) {
	fd, err := mapi.CreateFlow("net0")
	must(err)
	fid, err := mapi.ApplyFunction(fd, "TO_BUFFER", mapi.NoWait)
	must(err)
	counter, err := mapi.ApplyFunction(fd, "PKT_COUNTER")
	must(err)
	callback := func(*mapi.Packet) { t.Error("called without a packet") }
	loop := func(what string, want mapi.Code, fd, fid int, callback func(*mapi.Packet)) {
		t.Helper()
		n, err := mapi.Loop(fd, fid, 1, callback)
		wantCode(t, "loop over "+what, err, want)
		if n != 0 {
			t.Errorf("loop over %s: %d packets", what, n)
		}
	}
	loop("flow 0", mapi.ErrInvalidFunction, 0, fid, callback)
	loop("function 0", mapi.ErrInvalidFunction, fd, 0, callback)
	loop("an unknown flow", mapi.ErrInvalidFlow, 4711, fid, callback)
	loop("a flow before connect", mapi.ErrFlowNotConnected, fd, fid, callback)
	loop("an unknown function before connect", mapi.ErrFlowNotConnected, fd, 4711, callback)
	loop("a flow before connect, without a callback", mapi.ErrFlowNotConnected, fd, fid, nil)
	must(mapi.Connect(fd))
	loop("an unknown function", mapi.ErrInvalidFunction, fd, 4711, callback)
	loop("a counter", mapi.ErrNoResult, fd, counter, callback)
	loop("no callback", mapi.ErrInvalidArgument4, fd, fid, nil)
	loop("an empty buffer", 0, fd, fid, callback)
	must(mapi.CloseFlow(fd))
	loop("a closed flow", mapi.ErrInvalidFlow, fd, fid, callback)
}
