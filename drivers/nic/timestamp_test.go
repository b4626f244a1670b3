package nic

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/pkt"
	"gomapi/internal/testnet"
)

// TestNoCardClock checks interfaces without a clock: veth, tun and "any".
func TestNoCardClock(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		newTun(t, "t0", unix.ARPHRD_NONE)
		for _, name := range []string{testnet.B, "t0", "any", "lo"} {
			for _, value := range []string{"hw", "hw-force"} {
				_, err := Driver{}.Open(t.Context(), drivers.Config{Device: name, Params: map[string]string{"tstamp": value}})
				refused(t, err, "interface "+name, "cannot timestamp", "tstamp=sw")
			}
		}
		control, err := openControl()
		if err != nil {
			t.Fatal(err)
		}
		defer control.close()
		refused(t, checkClock(control, testnet.B), "interface b", "clock", "tstamp=hw-force", "phc2sys")
	})
}

// TestStampsOfTheCard checks that the status of each packet tells the source of
// its timestamp.
func TestStampsOfTheCard(t *testing.T) {
	for status, want := range map[uint32]pkt.Flags{
		0:                              0,
		unix.TP_STATUS_TS_SOFTWARE:     0,
		unix.TP_STATUS_TS_RAW_HARDWARE: pkt.HWTimestamp,
		unix.TP_STATUS_TS_RAW_HARDWARE | unix.TP_STATUS_CSUMNOTREADY: pkt.HWTimestamp | pkt.CsumNotReady,
	} {
		if got := packetFlags(status, unix.PACKET_HOST); got != want {
			t.Errorf("status %x: flags %b, want %b", status, got, want)
		}
	}
	ring := makeFrames(testnet.UDP(0, 60), testnet.UDP(1, 60))
	*statusOf(ring.frame(0)) = unix.TP_STATUS_TS_RAW_HARDWARE
	ring.handOver(2)
	v := plainView
	batch := make([]drivers.Packet, 4)
	if n := ring.fill(&v, batch); n != 2 || batch[0].Flags != pkt.HWTimestamp || batch[1].Flags != 0 {
		t.Errorf("%d packets, flags %b and %b", n, batch[0].Flags, batch[1].Flags)
	}
}

func TestClockOffset(t *testing.T) {
	if d, err := clockOffset(unix.CLOCK_REALTIME); err != nil || d.Abs() > maxClockOffset {
		t.Errorf("the system's clock is %v from itself: %v", d, err)
	}
	// This clock starts at boot, like the clock of a card that was never set.
	if d, err := clockOffset(unix.CLOCK_MONOTONIC); err != nil || d > -24*365*time.Hour {
		t.Errorf("the monotonic clock is %v from the system's: %v", d, err)
	}
	if _, err := clockOffset(1 << 20); err == nil {
		t.Error("a clock that does not exist has a time")
	}
}

// TestHostClock: only the kernel stamps packets with the clock of the host.
func TestHostClock(t *testing.T) {
	for source, want := range map[timestamp]bool{software: true, hardware: false, forced: false} {
		d := &device{opts: options{timestamp: source}}
		if got := d.Info().HostClock; got != want {
			t.Errorf("time stamps of kind %d: host clock %v, want %v", source, got, want)
		}
	}
}
