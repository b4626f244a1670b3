package main

import (
	"context"
	"testing"

	"gomapi/mapi"
)

// TestNumbersInC checks that C programs see only error numbers of the original.
func TestNumbersInC(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, givenUp := new(client).CreateFlow(over, "lo")
	_, unnamed := new(client).CreateFlow(t.Context(), "")
	for want, err := range map[mapi.Code]error{mapi.ErrCommSocket: givenUp, mapi.ErrDeviceInfo: unnamed} {
		if got := numberOf(err); got != want {
			t.Errorf("%v has number %d, want %d", err, int(got), int(want))
		}
	}
}
