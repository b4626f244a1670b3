package mapi_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"gomapi/mapi"
)

// TestDamagedFile checks that every wait reports the damage, whichever arrives
// first, the state of the flow or the event.
func TestDamagedFile(t *testing.T) {
	b, err := os.ReadFile("trace.pcap")
	must(err)
	must(os.WriteFile("cut.pcap", b[:len(b)-7], 0o600))
	c := client(t)
	for range 50 {
		d, err := c.CreateOfflineDevice(t.Context(), "cut.pcap", mapi.FormatPCAP)
		must(err)
		f, fn := counting(t, c, d.Name(), "")
		late, err := c.CreateFlow(t.Context(), d.Name())
		must(err)
		must(d.Start(t.Context()))
		err = f.Wait(t.Context())
		wantCode(t, "wait for the flow", err, mapi.ErrFile)
		if err != nil && !strings.Contains(err.Error(), "cut.pcap: record at byte offset") {
			t.Errorf("%v does not name file and offset", err)
		}
		wantCode(t, "wait for the device", d.Wait(t.Context()), mapi.ErrFile)
		err = late.Connect(t.Context())
		wantCode(t, "connect after the end", err, mapi.ErrFile)
		if err != nil && !strings.Contains(err.Error(), "cut.pcap: record at byte offset") {
			t.Errorf("%v does not name file and offset", err)
		}
		if n, err := fn.Uint64(); n != 4 || err != nil {
			t.Errorf("%d good packets, %v, want 4", n, err)
		}
		must(d.Delete(t.Context()))
	}
}

func TestPipesAreRefusedAtOnce(t *testing.T) {
	must(syscall.Mkfifo("pipe", 0o600))
	defer os.Remove("pipe")
	_, err := client(t).CreateOfflineDevice(t.Context(), "pipe", mapi.FormatPCAP)
	wantCode(t, "pipe", err, mapi.ErrFile)
}
