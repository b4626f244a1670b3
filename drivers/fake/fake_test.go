package fake

import (
	"context"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// flags records the flags of the packets.
type flags []pkt.Flags

func (f *flags) Batch(pkts []drivers.Packet) {
	for _, p := range pkts {
		*f = append(*f, p.Flags)
	}
}

func (*flags) Pause(_, _ time.Duration) time.Time { return time.Time{} }

func TestInterfaceGoesAway(t *testing.T) {
	var drv Driver
	s := drv.Add("eth0", drivers.Info{LinkType: 1})
	dev, err := drv.Open(t.Context(), drivers.Config{Device: "eth0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got flags
	done := make(chan error)
	go func() { done <- dev.Run(ctx, &got) }()
	sends := func(want mapierr.Code) {
		t.Helper()
		if code := mapierr.CodeOf(s.Send(packet(0)), 0); code != want {
			t.Errorf("sending gives %d, want %d", code, want)
		}
	}
	sends(0)
	s.Remove()
	sends(mapierr.PcapOpen)
	if st := dev.Stats(); st.LinkState != drivers.LinkAbsent || st.Reopens != 0 {
		t.Errorf("removed: %+v", st)
	}
	s.Restore()
	s.Restore()
	sends(0)
	sends(0)
	if err := s.Lose(4); err != nil {
		t.Error(err)
	}
	if st := dev.Stats(); st.LinkState != drivers.LinkUp || st.Reopens != 1 || st.Recv != 7 || st.Drop != 4 {
		t.Errorf("restored: %+v", st)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	sends(mapierr.NICThread)
	dev.Close()
	sends(mapierr.Stats)
	if len(got) != 3 || got[0] != 0 || got[1] != pkt.GapBefore || got[2] != 0 {
		t.Errorf("flags of the packets: %v", got)
	}
}
