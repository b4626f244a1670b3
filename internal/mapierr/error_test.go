package mapierr

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestErrorsCarryTheirNumber(t *testing.T) {
	err := fmt.Errorf("outer: %w", Wrap(File, "trace.pcap", io.ErrUnexpectedEOF))
	if CodeOf(err, 0) != File || CodeOf(io.EOF, Memory) != Memory {
		t.Errorf("numbers %d, %d", CodeOf(err, 0), CodeOf(io.EOF, Memory))
	}
	if !errors.Is(err, File) || errors.Is(err, Memory) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("errors.Is does not find number and cause in %v", err)
	}
	if got := err.Error(); got != "outer: trace.pcap: unexpected EOF" {
		t.Errorf("text is %q", got)
	}
	if got := (&Error{Code: NoDevice}).Error(); got != NoDevice.Text() {
		t.Errorf("text of a bare number is %q", got)
	}
}

func TestNumbersOfTheOriginal(t *testing.T) {
	for code, want := range map[Code]int{
		PcapBPF: 1025, FlowAlreadyActive: 3081, NoDriver: 3200, NoDevice: 3202, CommSocket: 5123, NotInitialized: 6141,
		FlowNotConnected: 6143, FunctionNotFound: 6144, InvalidFlow: 6145, NoResult: 6146, InvalidFunction: 6147,
		FlowInfo: 6149, FunctionInfo: 6150, File: 6155, DeviceInfo: 6157, InvalidArgument6: 7011, Stats: 8004,
	} {
		if int(code) != want {
			t.Errorf("%q has number %d, want %d", code.Text(), int(code), want)
		}
	}
	if Code(9999).Known() || !File.Known() {
		t.Error("Known is wrong")
	}
}

func TestBadArgument(t *testing.T) {
	for i, want := range []Code{7001, 7002, 7003, 7004, 7005, 7011, 7000, 7000} {
		if got := BadArgument(i); got != want {
			t.Errorf("argument %d: %d, want %d", i, got, want)
		}
	}
}
