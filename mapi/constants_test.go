package mapi_test

import (
	"fmt"
	"testing"

	"gomapi/mapi"
)

// TestWordsOfConstants checks that named values are printed by name, others by
// number.
func TestWordsOfConstants(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{mapi.SamplePeriodic, "periodic"}, {mapi.SampleProbabilistic, "probabilistic"}, {mapi.SampleMode(7), "mode 7"},
		{mapi.PktTS, "time stamp"}, {mapi.PktSize, "size"}, {mapi.PktField(2), "field 2"},
		{mapi.BinopAdd, "add"}, {mapi.BinopSub, "subtract"},
		{mapi.ThresholdChar, "char"}, {mapi.ThresholdInt + mapi.ThresholdPoll, "int+poll"},
		{mapi.ThresholdUint64 + mapi.ThresholdWindow, "uint64+window"}, {mapi.ThresholdType(9), "type 9"},
		{mapi.BoundaryEqual, "equal"}, {mapi.BoundaryBelow, "below"}, {mapi.BoundaryDiffAbove, "difference above"}, {mapi.Boundary(3), "boundary 3"},
		{mapi.Wait, "wait"}, {mapi.NoWait, "no wait"},
		{mapi.FormatPCAP, "pcap"}, {mapi.FormatDAGERF, "ERF"}, {mapi.Format(-1), "format -1"},
		{mapi.FlowInit, "init"}, {mapi.FlowFinished, "finished"}, {mapi.FlowStatus(9), "status 9"},
		{mapi.DeviceOnline, "online"}, {mapi.DeviceFinished, "finished"},
	} {
		if got := fmt.Sprint(c.v); got != c.want {
			t.Errorf("%T %d is %q, want %q", c.v, c.v, got, c.want)
		}
	}
}
