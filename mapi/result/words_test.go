package result

import (
	"fmt"
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{FileFailed, "failed"}, {FileDone, "done"}, {FileWriting, "writing"}, {FileState(3), "state 3"},
		{SampleSYN | SampleACK, "SYN,ACK"}, {SampleRST | SampleFIN | SamplePSH, "RST,FIN,PSH"}, {SampleFlags(0), "none"},
		{SampleSYN | 1<<5, "SYN,0x20"}, {SampleFlags(1 << 31), "0x80000000"},
	} {
		if got := fmt.Sprint(c.v); got != c.want {
			t.Errorf("%T %d is %q, want %q", c.v, c.v, got, c.want)
		}
	}
}

func TestTimesOfPackets(t *testing.T) {
	const ts = 1_700_000_000<<32 + 1<<31
	want := time.Unix(1_700_000_000, 5e8)
	s := StartStop{First: ts, Last: ts + 1<<32}
	sample := HashSample{TS: ts}
	for _, got := range []time.Time{s.FirstTime(), s.LastTime().Add(-time.Second), sample.Time(), PktInfo(ts).Time()} {
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if !s.FirstPassedTime().IsZero() {
		t.Errorf("no packet at %v", s.FirstPassedTime())
	}
}
