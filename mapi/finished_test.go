package mapi_test

import (
	"testing"

	"gomapi/mapi"
)

// taking starts a flow on a file with a packet buffer.
func taking(t *testing.T, c *mapi.Client, path string) (*mapi.Flow, *mapi.Function) {
	t.Helper()
	d := device(t, c, path)
	f, fn := buffered(t, c, d.Name())
	must(d.Start(t.Context()))
	return f, fn
}

// TestTakenUntilFinished takes packets until the flow has finished, like the
// original's tools, and must get all of them: from a file that fits into the
// buffer and from one that does not.
func TestTakenUntilFinished(t *testing.T) {
	path, packets := large(t)
	for file, want := range map[string]int{"trace.pcap": 5, path: packets} {
		for name, status := range map[string]func(*mapi.Flow) mapi.FlowStatus{
			"info": func(f *mapi.Flow) mapi.FlowStatus {
				info, err := f.Info(t.Context())
				must(err)
				return info.Status
			},
			"status": (*mapi.Flow).Status,
		} {
			t.Run(name+" "+file, func(t *testing.T) {
				var c mapi.Client
				defer c.Close()
				f, fn := taking(t, &c, file)
				if file == "trace.pcap" {
					must(f.Wait(t.Context())) // the worst case: all packets are there before the first is taken
				}
				n := 0
				for finished := false; !finished; finished = status(f) == mapi.FlowFinished {
					if _, err := fn.Next(t.Context()); err == nil {
						n++
					}
				}
				if n != want {
					t.Errorf("%d packets, want %d", n, want)
				}
			})
		}
	}
}

// TestFinishedThenTaken waits for the end first and then takes packets.
func TestFinishedThenTaken(t *testing.T) {
	var c mapi.Client
	defer c.Close()
	f, fn := taking(t, &c, "trace.pcap")
	must(f.Wait(t.Context()))
	n := 0
	isFinished(t, f)
	for _, err := range fn.Packets(t.Context()) {
		must(err)
		n++
	}
	isFinished(t, f)
	if n != 5 {
		t.Errorf("%d packets, want 5", n)
	}
}

func isFinished(t *testing.T, f *mapi.Flow) {
	t.Helper()
	info, err := f.Info(t.Context())
	if must(err); f.Status() != mapi.FlowFinished || info.Status != mapi.FlowFinished {
		t.Errorf("%v, %v", f.Status(), info.Status)
	}
}

// TestFinishedWithoutReader checks that a program that has taken some packets
// and closed the buffer does not delay others.
func TestFinishedWithoutReader(t *testing.T) {
	var c mapi.Client
	defer c.Close()
	f, fn := taking(t, &c, "trace.pcap")
	must(f.Wait(t.Context()))
	if _, err := fn.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.Status(); got != mapi.FlowActive {
		t.Errorf("with packets to take: %v", got)
	}
	must(fn.Close())
	isFinished(t, f)
}
