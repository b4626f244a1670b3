package nic

import (
	"encoding/binary"
	"net"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
)

func TestWarnsOfMerging(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		_, said := openLogged(t, testnet.B, tinyRing)
		if len(said.lines) != 0 {
			t.Errorf("without merging it says %q", said.lines)
		}
		if out, err := exec.Command("ethtool", "-K", testnet.B, "gro", "on").CombinedOutput(); err != nil {
			t.Skipf("needs ethtool: %v %s", err, out)
		}
		_, said = openLogged(t, testnet.B, tinyRing)
		said.wants(t, "interface b", "merges", "ethtool -K b gro off")
		_, said = openLogged(t, "lo", tinyRing)
		if len(said.lines) != 0 {
			t.Errorf("of loopback it says %q", said.lines)
		}
	})
}

// TestWarnsOfMergedFrames sends frames above the MTU from this machine, which
// leaves segmentation to the card. They arrive whole, and one log line reports
// them all.
func TestWarnsOfMergedFrames(t *testing.T) {
	for _, params := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			dev, said := openLogged(t, testnet.B, params)
			r := newRecorder()
			run := start(t, dev, r)
			plain := testnet.UDP(0, 1514)
			send(t, ns.Sender(testnet.A), plain)
			r.await(t, 1)
			if said.has("merged") {
				t.Error("a frame of full length counts as merged")
			}
			merged := testnet.TCP(1, 9000)
			sendUncut(t, testnet.A, merged)
			sendUncut(t, testnet.A, merged)
			got := r.await(t, 3)
			run.stop(t)
			for i, p := range got[1:] {
				if p.Wire != 9000 || len(p.Link) != 9000 || string(p.Link[54:]) != string(merged[54:]) {
					t.Errorf("merged frame %d: %d bytes of %d", i, len(p.Link), p.Wire)
				}
			}
			if said.wants(t, "frames of 9000 bytes", "ethtool -K b gro off"); len(said.lines) != 1 {
				t.Errorf("output %q", said.lines)
			}
		})
	}
}

// sendUncut sends a TCP frame that the card must segment, after a struct
// virtio_net_hdr (linux/virtio_net.h).
func sendUncut(t *testing.T, name string, frame []byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		t.Fatal(err)
	}
	link, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	head := []byte{1 /* needs checksum */, 1 /* TCP over IPv4 */}
	for _, v := range []uint16{54 /* headers */, 1446 /* segment */, 34 /* checksum from */, 16 /* stored at */} {
		head = binary.NativeEndian.AppendUint16(head, v)
	}
	to := &unix.SockaddrLinklayer{Ifindex: link.Index, Protocol: bigEndian(unix.ETH_P_IP)}
	if err := unix.Sendto(fd, append(head, frame...), 0, to); err != nil {
		t.Fatal(err)
	}
}
