package acceptance

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// ethernetFrames are ARP, UDP with a tag, UDP, and TCP.
func ethernetFrames(t *testing.T) [][]byte {
	ether := func(kind layers.EthernetType) *layers.Ethernet {
		return &layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: kind}
	}
	broadcast := ether(layers.EthernetTypeARP)
	broadcast.DstMAC = []byte{255, 255, 255, 255, 255, 255}
	return [][]byte{
		serialized(t, broadcast, &layers.ARP{
			AddrType: 1, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: 1,
			SourceHwAddress: broadcast.SrcMAC, SourceProtAddress: []byte{10, 0, 0, 1}, DstHwAddress: make([]byte, 6), DstProtAddress: []byte{10, 0, 0, 2},
		}),
		serialized(t, ether(layers.EthernetTypeDot1Q), &layers.Dot1Q{VLANIdentifier: 100, Type: layers.EthernetTypeIPv4},
			ipv4Header(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1234, DstPort: 53}, gopacket.Payload("tagged")),
		serialized(t, ether(layers.EthernetTypeIPv4), ipv4Header(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1234, DstPort: 53}),
		serialized(t, ether(layers.EthernetTypeIPv4), ipv4Header(layers.IPProtocolTCP), &layers.TCP{SrcPort: 1234, DstPort: 80, SYN: true}),
	}
}

func ipv4Header(proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: proto, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
}

func serialized(t *testing.T, parts ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, parts...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// writeFile creates a file with a writer of captures.
func writeFile(t *testing.T, name string, write func(w io.Writer) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := write(f); err != nil {
		t.Fatal(err)
	}
	return path
}

func infoOf(frame []byte, iface int) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: time.Unix(1700000000, 0), CaptureLength: len(frame), Length: len(frame), InterfaceIndex: iface}
}

// single creates a file of one link type, which tcpdump can read.
func single(t *testing.T, link layers.LinkType, frames ...[]byte) string {
	return writeFile(t, "single.pcap", func(file io.Writer) error {
		w := pcapgo.NewWriter(file)
		err := w.WriteFileHeader(65535, link)
		for _, f := range frames {
			if err == nil {
				err = w.WritePacket(infoOf(f, 0), f)
			}
		}
		return err
	})
}

// mixedFile creates a file with an interface of type link, followed by an
// Ethernet interface.
func mixedFile(t *testing.T, link layers.LinkType, first, second [][]byte) string {
	return writeFile(t, "mixed.pcapng", func(file io.Writer) error {
		w, err := pcapgo.NewNgWriterInterface(file, pcapgo.NgInterface{LinkType: link}, pcapgo.NgWriterOptions{})
		if err != nil {
			return err
		}
		if _, err := w.AddInterface(pcapgo.NgInterface{LinkType: layers.LinkTypeEthernet}); err != nil {
			return err
		}
		for i, frames := range [][][]byte{first, second} {
			for _, f := range frames {
				if err := w.WritePacket(infoOf(f, i), f); err != nil {
					return err
				}
			}
		}
		return w.Flush()
	})
}

// TestMixedLinkTypes filters files whose first interface supports few filters.
// The counts must equal the sum of tcpdump's counts in a file of each link
// type.
func TestMixedLinkTypes(t *testing.T) {
	needs(t, "tcpdump")
	client := start(t).client()
	frames := ethernetFrames(t)
	filters := []string{"udp", "tcp", "arp", "vlan", "ether dst ff:ff:ff:ff:ff:ff", "ip", "not udp", "len > 60", "vlan and udp"}
	ether := single(t, layers.LinkTypeEthernet, frames...)
	for name, c := range map[string]struct {
		link  layers.LinkType
		frame []byte
	}{
		"CAN":    {227, append([]byte{0, 0, 1, 0x23, 4, 0, 0, 0}, make([]byte, 8)...)},
		"NFLOG":  {239, make([]byte, 40)},
		"USB":    {220, make([]byte, 70)},
		"raw IP": {101, frames[3][14:]},
	} {
		t.Run(name, func(t *testing.T) {
			other := single(t, c.link, c.frame)
			used := countFile(t, client, mixedFile(t, c.link, [][]byte{c.frame}, frames), filters...)
			unused := countFile(t, client, mixedFile(t, c.link, nil, frames), filters...)
			for i, f := range filters {
				want, ok := tcpdumpCount(t, ether, f)
				if !ok {
					t.Fatalf("tcpdump refuses %q for Ethernet", f)
				}
				if unused[i] != want {
					t.Errorf("%q after an interface without packets: %v, want %v", f, unused[i], want)
				}
				more, _ := tcpdumpCount(t, other, f) // nothing if it is invalid
				want[0], want[1] = want[0]+more[0], want[1]+more[1]
				if used[i] != want {
					t.Errorf("%q: %v, want %v", f, used[i], want)
				}
			}
			checkRefused(t, client, mixedFile(t, c.link, nil, frames), "udp port")
			checkRefused(t, client, mixedFile(t, c.link, nil, frames), "inbound")
			if _, ok := tcpdumpCount(t, other, "arp"); !ok {
				checkRefused(t, client, other, "arp")
			}
		})
	}
}

// TestFilterOfLaterLinkType filters for a link type that only a later interface
// has.
func TestFilterOfLaterLinkType(t *testing.T) {
	beacon := append([]byte{0x80, 0}, make([]byte, 40)...)
	path := writeFile(t, "wireless.pcapng", func(file io.Writer) error {
		w, err := pcapgo.NewNgWriterInterface(file, pcapgo.NgInterface{LinkType: layers.LinkTypeEthernet}, pcapgo.NgWriterOptions{})
		if err != nil {
			return err
		}
		if _, err := w.AddInterface(pcapgo.NgInterface{LinkType: layers.LinkTypeIEEE802_11}); err != nil {
			return err
		}
		if err := w.WritePacket(infoOf(beacon, 1), beacon); err != nil {
			return err
		}
		return w.Flush()
	})
	if got := countFile(t, start(t).client(), path, "type mgt subtype beacon"); got[0][0] != 1 {
		t.Errorf("%d beacons, want 1", got[0][0])
	}
	checkRefused(t, start(t).client(), single(t, layers.LinkTypeEthernet), "type mgt subtype beacon")
}
