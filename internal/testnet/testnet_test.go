package testnet

import (
	"bytes"
	"net"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"gomapi/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestPairCarriesFrames(t *testing.T) {
	Run(t, func(ns *NS) {
		const frames = 1000
		s := ns.Sender(A)
		before := ns.Counters(B)
		for i := range uint64(frames) {
			if err := s.Send(UDP(i, 200)); err != nil {
				t.Fatal(err)
			}
		}
		after := ns.Counters(B)
		if got := after.RxPackets + after.RxDropped - before.RxPackets - before.RxDropped; got != frames {
			t.Errorf("the kernel counted %d of %d frames on b", got, frames)
		}
		if got := ns.Counters(A).RxPackets; got != 0 {
			t.Errorf("a is not quiet: %d packets received", got)
		}
	})
}

func TestNamespaceIsPrivate(t *testing.T) {
	Run(t, func(ns *NS) {
		links, err := net.Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links {
			if l.Name != A && l.Name != B && l.Flags&net.FlagUp != 0 && l.Flags&net.FlagLoopback == 0 {
				t.Errorf("interface %s is up", l.Name)
			}
		}
		var inside string
		<-ns.Go(func() {
			if l, err := net.InterfaceByName(B); err == nil {
				inside = l.HardwareAddr.String()
			}
		})
		if inside != MACofB.String() {
			t.Errorf("Go ran outside: address of b is %q", inside)
		}
	})
	if _, err := net.InterfaceByName(B); err == nil {
		t.Error("the thread did not return to its namespace: interface b exists")
	}
}

func TestDownUpDelete(t *testing.T) {
	Run(t, func(ns *NS) {
		s := ns.Sender(A)
		ns.Down(A)
		if err := s.Send(UDP(1, 100)); err == nil {
			t.Error("a is down and sends")
		}
		ns.Up(A, B)
		ns.SetMTU(9000)
		s = ns.Sender(A) // the first sender got ENETDOWN
		if err := s.Send(UDP(2, 9014)); err != nil {
			t.Error(err)
		}
		ns.Delete(B)
		if _, err := net.InterfaceByName(A); err == nil {
			t.Error("the other end of a deleted one is still there")
		}
		if err := s.Send(UDP(3, 100)); err == nil {
			t.Error("sent over an interface that is gone")
		}
	})
}

func TestFrames(t *testing.T) {
	tags := []Tag{{0x88a8, 100}, {0x8100, 0xa002}}
	for _, c := range []struct {
		name  string
		frame []byte
		size  int
	}{
		{"smallest UDP", UDP(7, MinUDP), MinUDP},
		{"UDP", UDP(7, 1514), 1514},
		{"smallest TCP", TCP(7, MinTCP), MinTCP},
		{"TCP", TCP(7, 1000), 1000},
		{"QinQ", Tagged(UDP(7, 100), tags...), 108},
	} {
		if len(c.frame) != c.size {
			t.Errorf("%s: %d bytes, want %d", c.name, len(c.frame), c.size)
		}
		if n, ok := Number(c.frame); !ok || n != 7 {
			t.Errorf("%s: number %d, %v", c.name, n, ok)
		}
		SetNumber(c.frame, 8)
		if n, ok := Number(c.frame); !ok || n != 8 {
			t.Errorf("%s: number %d, %v after SetNumber", c.name, n, ok)
		}
		SetNumber(c.frame, 7)
		p := gopacket.NewPacket(c.frame, layers.LayerTypeEthernet, gopacket.Default)
		if p.ErrorLayer() != nil || p.TransportLayer() == nil {
			t.Errorf("%s does not decode: %v", c.name, p)
		}
	}
	if _, ok := Number(bytes.Repeat([]byte{0}, 100)); ok {
		t.Error("a number in a frame without")
	}
}

func TestFastSenders(t *testing.T) {
	const frames = 64 * 500
	senders := map[string]func(s *Sender) error{
		"batches": func(s *Sender) error {
			batch := slices.Repeat([][]byte{UDP(1, 64)}, MaxBatch+1)
			for range frames / len(batch) {
				if err := s.SendBatch(batch); err != nil {
					return err
				}
			}
			return s.SendBatch(batch[:frames%len(batch)])
		},
		"flood": func(s *Sender) error { return s.Flood(UDP(1, 64), frames) },
	}
	for name, send := range senders {
		t.Run(name, func(t *testing.T) {
			Run(t, func(ns *NS) {
				ns.SetGRO(B)
				before := ns.Counters(B)
				if err := send(ns.Sender(A)); err != nil {
					t.Fatal(err)
				}
				after := ns.Counters(B)
				if got := after.RxPackets + after.RxDropped - before.RxPackets - before.RxDropped; got != frames {
					t.Errorf("the kernel counted %d of %d frames on b, %d dropped", got, frames, after.RxDropped-before.RxDropped)
				}
			})
		})
	}
}

func TestSendBatchDoesNotAllocate(t *testing.T) {
	Run(t, func(ns *NS) {
		s, batch := ns.Sender(A), slices.Repeat([][]byte{UDP(1, 64)}, MaxBatch)
		allocs := testing.AllocsPerRun(10, func() {
			if err := s.SendBatch(batch); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations for a batch", allocs)
		}
	})
}

func TestSetNumber(t *testing.T) {
	f := TCP(1, 100)
	SetNumber(f, 1<<40+7)
	if n, ok := Number(f); !ok || n != 1<<40+7 {
		t.Errorf("number %d, %v", n, ok)
	}
}
