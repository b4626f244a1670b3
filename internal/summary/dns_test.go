package summary

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// datagram is a UDP frame with these ports and payload.
func datagram(src, dst uint16, payload []byte) frame {
	b := []byte("\xaa\xaa\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbb\xbb\xbb\x08\x00" +
		"\x45\x00\x00\x00\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02")
	binary.BigEndian.PutUint16(b[16:], uint16(20+udpLen+len(payload)))
	b = binary.BigEndian.AppendUint16(b, src)
	b = binary.BigEndian.AppendUint16(b, dst)
	b = binary.BigEndian.AppendUint16(b, uint16(udpLen+len(payload)))
	b = append(append(b, 0, 0), payload...)
	return frame{b, uint32(len(b)), 1}
}

// answers has a record of each type, with its expected text.
func answers(t testing.TB) []byte {
	t.Helper()
	name := dnsmessage.MustNewName
	head := dnsmessage.ResourceHeader{Name: name("www.example.com."), Class: dnsmessage.ClassINET, TTL: 300}
	m := dnsmessage.Message{
		Header: dnsmessage.Header{ID: 4711, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: []dnsmessage.Question{
			{Name: name("www.example.com."), Type: dnsmessage.TypeALL, Class: dnsmessage.ClassINET},
		},
	}
	for _, body := range []dnsmessage.ResourceBody{
		&dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}},
		&dnsmessage.AAAAResource{AAAA: [16]byte{0x20, 1, 0xd, 0xb8, 15: 1}},
		&dnsmessage.CNAMEResource{CNAME: name("web.example.com.")},
		&dnsmessage.MXResource{Pref: 10, MX: name("mail.example.com.")},
		&dnsmessage.NSResource{NS: name("ns.example.com.")},
		&dnsmessage.PTRResource{PTR: name(".")},
		&dnsmessage.SOAResource{NS: name("ns.example.com."), MBox: name("root.example.com."), Serial: 7},
		&dnsmessage.TXTResource{TXT: []string{"v=spf1 \"-all\"", "", "\x01\x7f\xff"}},
		&dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 5060, Target: name("sip.example.com.")},
		&dnsmessage.UnknownResource{Type: 46, Data: []byte{1, 2, 3}},
	} {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: body})
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDNSAnswers checks the line of a whole response.
func TestDNSAnswers(t *testing.T) {
	f := datagram(53, 4000, answers(t))
	const want = "IP 10.0.0.1.53 > 10.0.0.2.4000: 4711* 10/0/0 A 192.0.2.1, AAAA 2001:db8::1, CNAME web.example.com., " +
		`MX mail.example.com. 10, NS ns.example.com., PTR ., SOA, TXT "v=spf1 "-all"" "" "^A^?M-^?", SRV sip.example.com.:5060 1 2, RRSIG (350)`
	got := string(Append(nil, f.data, f.dlt, f.wire))
	if i := strings.LastIndexByte(got, '('); got[:max(i, 0)] != want[:strings.LastIndexByte(want, '(')] {
		t.Errorf("\n%s, want\n%s", got, want)
	}
}

// TestTcpdumpDNS compares all types, classes, flags and counts, and responses
// truncated anywhere.
func TestTcpdumpDNS(t *testing.T) {
	query := []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03com\x00\x00\x01\x00\x01")
	var all []frame
	add := func(src, dst uint16, b []byte) { all = append(all, datagram(src, dst, append([]byte(nil), b...))) }
	for n := range 300 {
		b := append([]byte(nil), query...)
		binary.BigEndian.PutUint16(b[len(b)-4:], uint16(n))
		add(4000, 53, b)
		binary.BigEndian.PutUint16(b[len(b)-2:], uint16(n|n<<15))
		add(5353, 5353, b)
	}
	full := answers(t)
	for flags := 0; flags < 1<<16; flags += 17 {
		for _, b := range [][]byte{append([]byte(nil), query...), append([]byte(nil), full...)} {
			binary.BigEndian.PutUint16(b[dnsFlags:], uint16(flags))
			add(53, 4000, b)
		}
	}
	for at := dnsQuestions; at < dnsHead; at += 2 {
		for n := range 4 {
			b := append([]byte(nil), query...)
			binary.BigEndian.PutUint16(b[at:], uint16(n))
			add(4000, 53, b)
			b[dnsFlags] = 8 // inverse query
			add(4000, 53, b)
		}
	}
	for n := range full {
		add(53, 4000, full[:n])
		f := datagram(5353, 5353, full)
		all = append(all, frame{f.data[:len(f.data)-n], f.wire, 1})
	}
	n := make(tally)
	file := filepath.Join(t.TempDir(), "dns.pcap")
	write(t, file, all)
	n.compare(t, "dns", all, tcpdump(t, file))
	n.log(t, 8000)
}

// TestDNSBounded has messages whose text is much longer than the message.
func TestDNSBounded(t *testing.T) {
	// Names whose labels fill the message; each starts with the whole previous
	// name.
	head := []byte("\x00\x01\x80\x00\x00\x00\xff\xff\x00\x00\x00\x00")
	long := append([]byte(nil), head...)
	for len(long) < 300 {
		long = append(long, "\x3f"+strings.Repeat("x", 63)...)
	}
	long = append(long, 0)
	names := append([]byte(nil), head...)
	names = append(names, "\x3f"+strings.Repeat("y", 63)+"\x3f"+strings.Repeat("y", 63)+"\x3f"+strings.Repeat("y", 63)+"\x00"...)
	for len(names) < 60000 {
		names = append(names, 0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 2, 0xc0, dnsHead)
	}
	loop := append(append([]byte(nil), head...), 0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 2, 0xc0, 23)
	many := append([]byte(nil), "\x00\x01\x80\x00\xff\xff\x00\x00\x00\x00\x00\x00"...)
	many = append(many, make([]byte, 60000)...)
	for _, b := range [][]byte{long, names, loop, many} {
		f := datagram(53, 4000, b)
		got := Append(nil, f.data, f.dlt, f.wire)
		if len(got) > 2*maxDNS {
			t.Errorf("%d bytes of a message make a line of %d", len(b), len(got))
		}
		check(t, f.data, f.dlt, f.wire)
	}
}

// FuzzDNS prints messages over UDP and TCP, and compares with another parser: a
// response that the other parser accepts must not be printed as truncated.
func FuzzDNS(f *testing.F) {
	f.Add(answers(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		udp := datagram(53, 4000, b)
		check(t, udp.data, udp.dlt, udp.wire)
		var m dnsmessage.Message
		line := string(Append(nil, udp.data, udp.dlt, udp.wire))
		if m.Unpack(b) == nil && len(m.Questions) < 2 && len(line) < maxDNS && strings.Contains(line, "[|domain]") &&
			!strings.Contains(line, "<BAD PTR>") && len(m.Answers) == 1 {
			switch m.Answers[0].Body.(type) {
			case *dnsmessage.AResource, *dnsmessage.AAAAResource:
				t.Errorf("%q of a message that is whole", line)
			}
		}
	})
}
