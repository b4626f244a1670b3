package main

import (
	"net/netip"
	"testing"
)

func TestAnnounced(t *testing.T) {
	sender := netip.MustParseAddr("2001:db8::21")
	for _, c := range []struct{ text, want string }{ // want "": nothing
		{"227 Entering Passive Mode (147,52,17,51,146,226)\r\n", "147.52.17.51:37602"}, // the paper's
		{"227 Entering Passive Mode. 1,2,3,4,0,21\r\n", "1.2.3.4:21"},
		{"227 =1,2,3,4,255,255", "1.2.3.4:65535"},
		{"PORT 172,23,0,3,174,127\r\n", "172.23.0.3:44671"},
		{"TYPE I\r\nPORT 172,23,0,3,174,127\r\n", "172.23.0.3:44671"},
		{"229 Entering Extended Passive Mode (|||57086|)\r\n", "[2001:db8::21]:57086"},
		{"EPRT |2|2001:db8::1|49189|\r\n", "[2001:db8::1]:49189"},
		{"EPRT |1|132.235.1.2|6275|\r\n", "132.235.1.2:6275"}, // RFC 2428
		{"EPRT |2|::ffff:1.2.3.4|6275|\r\n", "1.2.3.4:6275"},

		{"", ""},
		{"227 Entering Passive Mode\r\n 1,2,3,4,5,6", ""},
		{"227 Entering Passive Mode (1,2,3,4,5)", ""},
		{"227 Entering Passive Mode (1,2,3,4,256,1)", ""},
		{"227 Entering Passive Mode (1,2,3,4,5,256)", ""},
		{"227 Entering Passive Mode (1,2,3,256,5,6)", ""},
		{"227 Entering Passive Mode (1,2,3,4,0,0)", ""},
		{"227 Entering Passive Mode (1111,2,3,4,5,6)", ""},
		{"227 Entering Passive Mode (1,2,3,4,5,6666)", ""},
		{"227 Entering Passive Mode (-1,2,3,4,5,\xff6)", ""},
		{"226 Entering Passive Mode (1,2,3,4,5,6)", ""},
		{"xPORT 1,2,3,4,5,6", ""},
		{" ABOR ACCT EPRT EPSV PORT 1,2,3,4,5,6", ""}, // in the answer to HELP
		{"229 Entering Extended Passive Mode (|||65536|)", ""},
		{"229 Entering Extended Passive Mode (|||0|)", ""},
		{"229 Entering Extended Passive Mode (|||570", ""},
		{"EPRT |2|fe80::1%eth0|49189|", ""},
		{"EPRT |2|host and port 1|49189|", ""},
		{"EPRT |3|2001:db8::1|49189|", ""},
		{"EPRT |1|1.2.3.4.5|49189|", ""},
	} {
		got, ok := announced([]byte(c.text), sender)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%q announces %v, %v, want %q", c.text, got, ok, c.want)
		}
	}
	if to, ok := announced([]byte("229 (|||1|)"), netip.Addr{}); ok {
		t.Errorf("an unknown sender announces %v", to)
	}
}

// FuzzAnnounced parses any bytes as a frame and as the text of one.
func FuzzAnnounced(f *testing.F) {
	frame := make([]byte, 14+20+20)
	frame[12], frame[14], frame[14+9], frame[14+20+12] = 0x08, 0x45, 6, 0x50
	f.Add(append(frame, "227 (1,2,3,4,5,6)"...))
	f.Add([]byte("EPRT |2|2001:db8::1|49189|"))
	f.Add([]byte("229 (|||57086|)"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text, sender := payload(b)
		for _, text := range [][]byte{text, b} {
			to, ok := announced(text, sender)
			if ok && (!to.IsValid() || to.Port() == 0 || to.Addr().Zone() != "") {
				t.Errorf("%q announces %v", text, to)
			}
		}
	})
}
