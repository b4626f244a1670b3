package examples

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
	"golang.org/x/sys/unix"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// A count has the packets and bytes of the data connections to a port.
type count struct{ packets, bytes int }

// ftpCaptures returns the captures with control connections. For each port that these
// announce it returns the packets, from expected.tsv, and the bytes, from libpcap.
func ftpCaptures(t *testing.T) map[string]map[string]count {
	t.Helper()
	all := make(map[string]map[string]count)
	for _, r := range testdata.Expected(t) {
		if r.Kind != "ftp-data-port" {
			continue
		}
		if all[r.File] == nil {
			all[r.File] = make(map[string]count)
		}
		_, port, _ := strings.Cut(r.Key, " ")
		packets, err := strconv.Atoi(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		frames := framesOf(t, r.File, "tcp port "+port)
		if len(frames) != packets {
			t.Fatalf("%s: libpcap finds %d packets of port %s, expected.tsv says %d", r.File, len(frames), port, packets)
		}
		all[r.File][port] = count{packets, len(slices.Concat(frames...))}
	}
	return all
}

// framesOf reads the packets of a capture that match a filter.
func framesOf(t *testing.T, file, filter string) (frames [][]byte) {
	t.Helper()
	h, err := pcap.OpenOffline(filepath.Join(testdata.Dir(t), file))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.SetBPFFilter(filter); err != nil {
		t.Fatal(err)
	}
	for {
		frame, _, err := h.ReadPacketData()
		if err == io.EOF {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, frame)
	}
}

// compare checks the report of ftp, without its last line.
func compare(t *testing.T, report string, want map[string]count) {
	t.Helper()
	got, total := make(map[string]count), 0
	for line := range strings.Lines(report) {
		colon := strings.LastIndex(line, ": ")
		if colon < 0 || strings.HasPrefix(line, "watching") {
			continue
		}
		var c count
		if _, err := fmt.Sscanf(line[colon:], ": %d packets, %d bytes\n", &c.packets, &c.bytes); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got[line[strings.LastIndex(line[:colon], ":")+1:colon]] = c
		total += c.bytes
	}
	for port, c := range want {
		if got[port] != c {
			t.Errorf("port %s: %+v, want %+v", port, got[port], c)
		}
	}
	if last := fmt.Sprintf("%d transfers, %d bytes\n", len(want), total); len(got) != len(want) || !strings.HasSuffix(report, last) {
		t.Errorf("the report is\n%swant %q in the end", report, last)
	}
}

// TestFTPOfFiles reads all captures with FTP in them.
func TestFTPOfFiles(t *testing.T) {
	captures := ftpCaptures(t)
	daemon(t)
	for file, want := range captures {
		out, err := exec.Command(filepath.Join(bin, "ftp"), "-r", filepath.Join(testdata.Dir(t), file)).Output()
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		compare(t, string(out), want)
	}
	if len(captures) < 6 {
		t.Errorf("only %d captures were compared", len(captures))
	}
}

// announcements asks tshark which packets announce which port.
func announcements(t *testing.T, file string) map[int]string {
	t.Helper()
	args := []string{"-n", "-r", filepath.Join(testdata.Dir(t), file), "-Y", "ftp", "-T", "fields", "-e", "frame.number"}
	for _, kind := range []string{"active", "passive", "eprt", "epsv"} {
		args = append(args, "-e", "ftp."+kind+".port")
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	ports := make(map[int]string)
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			frame, err := strconv.Atoi(fields[0])
			if err != nil {
				t.Fatal(err)
			}
			ports[frame-1] = fields[1]
		}
	}
	return ports
}

// TestFTPLive sends captures over a network. After each announcement it waits until the
// program watches the port, like hosts that are far apart.
func TestFTPLive(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("needs tshark, to know which packets announce a transfer")
	}
	for file, want := range ftpCaptures(t) {
		if file == "mixed-merged.pcap" {
			continue // 50,000 mixed packets; other captures have the same FTP
		}
		t.Run(file, func(t *testing.T) {
			testnet.Run(t, func(ns *testnet.NS) {
				daemon(t)
				r := start(t, "watching port 21\n", "ftp", testnet.B)
				replay(t, ns.Sender(testnet.A), r, framesOf(t, file, ""), announcements(t, file))
				settle(t)
				_ = r.cmd.Process.Signal(unix.SIGINT)
				report, _ := io.ReadAll(r.lines)
				if err := r.cmd.Wait(); err != nil {
					t.Error(err)
				}
				want[lastPort] = count{}
				compare(t, string(report), want)
			})
		})
	}
}

// lastPort is the port of the last announcement of a replay.
const lastPort = "1025"

// replay sends frames, some with announcements, and a last announcement of its own. It
// returns when the program has seen the last one.
func replay(t *testing.T, s *testnet.Sender, r *running, frames [][]byte, ports map[int]string) {
	t.Helper()
	frames, ports[len(frames)] = append(frames, announcement(t, "227 Entering Passive Mode (192,0,2,1,4,1)\r\n")), lastPort
	watched := make(map[string]bool)
	for i, frame := range frames {
		if err := s.Send(frame); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		port := ports[i]
		if port == "" || watched[port] {
			continue
		}
		watched[port] = true
		said, err := r.lines.ReadString('\n')
		if !strings.HasPrefix(said, "watching ") || !strings.HasSuffix(said, ":"+port+"\n") {
			t.Fatalf("after packet %d, which announces port %s, ftp says %q, %v", i, port, said, err)
		}
	}
}

// settle returns when mapid has counted the packets of the current batch: closing a flow
// waits for the end of the batch.
func settle(t *testing.T) {
	t.Helper()
	var client mapi.Client
	defer client.Close()
	f, err := client.CreateFlow(t.Context(), testnet.B)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(t.Context()); err != nil {
		t.Error(err)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// announcement returns a frame of a control connection.
func announcement(t *testing.T, text string) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: parse("192.0.2.1"), DstIP: parse("192.0.2.2")}
	tcp := &layers.TCP{SrcPort: 21, DstPort: 40000, ACK: true, PSH: true, Window: 1024}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: testnet.MACofA, DstMAC: testnet.MACofB, EthernetType: layers.EthernetTypeIPv4},
		ip, tcp, gopacket.Payload(text))
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
