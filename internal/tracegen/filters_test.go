package tracegen

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
)

// TestFiltersCompile compiles many filters with libpcap, which rejects those
// that can match nothing.
func TestFiltersCompile(t *testing.T) {
	filters := Filters(15000, 7)
	kinds := []string{"host", "net", "/32", "/8", "port", "portrange", "tcpflags", "not", "(", "src", "dst"}
	for _, f := range filters {
		if _, err := pcap.CompileBPFFilter(layers.LinkTypeEthernet, 65535, f); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		kinds = slices.DeleteFunc(kinds, func(k string) bool { return strings.Contains(f, k) })
	}
	if len(kinds) > 0 {
		t.Errorf("no filter has %q", kinds)
	}
	if again := Filters(15000, 7); !slices.Equal(filters, again) {
		t.Error("the same seed gives other filters")
	}
	if more := Filters(100, 7); !slices.Equal(filters[:100], more) {
		t.Error("fewer filters are not the first ones")
	}
}

func TestCountPorts(t *testing.T) {
	const packets = 20000
	path, _ := write(t, packets)
	ports := CountPorts(packets, 1)
	for _, port := range []int{53, 443, 161, 6881, 12345} {
		words := strings.Fields(run(t, "tcpdump", "-r", path, "--count", "udp dst port "+strconv.Itoa(port)))
		if len(words) == 0 || words[0] != strconv.FormatUint(ports[port].Packets, 10) {
			t.Errorf("tcpdump counts %v to port %d, want %d", words, port, ports[port].Packets)
		}
	}
	all, bytes := uint64(0), uint64(0)
	for _, c := range ports {
		all, bytes = all+c.Packets, bytes+c.Bytes
	}
	words := strings.Fields(run(t, "tcpdump", "-r", path, "--count", "udp"))
	if len(words) == 0 || words[0] != strconv.FormatUint(all, 10) || bytes < 60*all {
		t.Errorf("tcpdump counts %v of UDP, want %d, with %d bytes", words, all, bytes)
	}
}
