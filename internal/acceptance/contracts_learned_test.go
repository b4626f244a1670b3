package acceptance

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// plainly are the packets in which libpcap finds ports at the same place as LEARNED: behind
// no tag and no extension header.
const plainly = "ip or arp or (ip6 and ip6[6] = 17)"

// TestLearnedOnCaptures mixes packets that name ports with the packets of every Ethernet
// capture. LEARNED must pass the packets to these ports that libpcap finds behind them, in
// batches of several sizes, in lockstep and not.
func TestLearnedOnCaptures(t *testing.T) {
	learned := uint64(0)
	var clients []*mapi.Client
	for _, size := range []int{1, 7, 256} {
		clients = append(clients, startContracts(t, size))
	}
	for _, c := range captures(t) {
		if c.status != "ok" || c.link != "ether" || c.packets == 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			path, ports := lessons(t, filepath.Join(testdata.Dir(t), c.name))
			want := taught(t, path, ports)
			learned += want[0]
			m := &measured{rows: []row{
				{[]call{{name: "LEARNED"}}, want},
				{[]call{{"BPF_FILTER", []any{"udp"}}, {name: "LEARNED"}}, want},
				{[]call{{name: "LEARNED"}, {name: "ECHO"}}, [2]uint64{2 * want[0], 2 * want[1]}},
				{[]call{{name: "ECHO"}, {name: "LEARNED"}}, [2]uint64{}}, // what is emitted has no mark
			}}
			for _, client := range clients {
				for _, inStep := range []bool{false, true} {
					x := newTrial(t, client, path, m, inStep)
					must(t, x.device.Start(t.Context()))
					must(t, x.device.Wait(t.Context()))
					x.checkRows()
					x.end()
				}
			}
		})
	}
	if learned < 2000 {
		t.Errorf("only %d packets were to be passed", learned)
	}
	t.Logf("%d packets were to be passed, each %d times", learned, 2*len(clients))
}

// A port is named by a packet of a file.
type port struct {
	number uint16
	after  int // place of the packet that names it
}

// lessons makes a file of the plain packets of a capture, and of up to eight packets that name
// the port of the next UDP packet over IPv4. No port is named twice.
func lessons(t *testing.T, path string) (string, []port) {
	t.Helper()
	tr := traceOf(t, path)
	keep, ok := tr.filter(plainly)
	if !ok {
		t.Fatal("libpcap refuses the filter of plain packets")
	}
	var frames [][]byte
	var ports []port
	for i, p := range tr.packets {
		if !keep[i] {
			continue
		}
		if n, ok := portOf(p.Data); ok && i >= len(ports)*len(tr.packets)/8 && !slices.ContainsFunc(ports, func(p port) bool { return p.number == n }) {
			lesson := testnet.UDP(0, 60)
			binary.BigEndian.PutUint16(lesson[36:], 7)
			binary.BigEndian.PutUint16(lesson[42:], n)
			ports = append(ports, port{n, len(frames)})
			frames = append(frames, lesson)
		}
		frames = append(frames, p.Data)
	}
	return saveFrames(t, frames), ports
}

// portOf returns the port to which a UDP packet over IPv4 goes.
func portOf(frame []byte) (uint16, bool) {
	if len(frame) < 14+20 || frame[12] != 8 || frame[13] != 0 || frame[23] != 17 || binary.BigEndian.Uint16(frame[20:])&0x3fff != 0 {
		return 0, false
	}
	udp := 14 + int(frame[14]&15)*4
	if len(frame) < udp+8 {
		return 0, false
	}
	return binary.BigEndian.Uint16(frame[udp+2:]), true
}

// taught counts the packets and bytes that libpcap finds to each port behind the packet that
// names it.
func taught(t *testing.T, path string, ports []port) (n [2]uint64) {
	t.Helper()
	tr := traceOf(t, path)
	for _, p := range ports {
		to, ok := tr.filter(fmt.Sprintf("udp dst port %d", p.number))
		if !ok {
			t.Fatalf("libpcap refuses port %d", p.number)
		}
		clear(to[:p.after+1])
		packets, bytes := tr.count(to)
		n[0], n[1] = n[0]+packets, n[1]+bytes
	}
	return n
}
