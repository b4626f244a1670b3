package acceptance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gomapi/internal/books"
	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

// longFilters have hundreds of terms, up to 1,800. The expected result comes
// from libpcap term by term, because its optimizer would take minutes.
func (tr *trace) longFilters(t *testing.T) (steps []step) {
	for i := range 3 {
		var hosts, ports, bits []string
		for j := range 300 {
			hosts = append(hosts, fmt.Sprintf("host 10.%d.%d.%d", i, j/250, j%250))
			ports = append(ports, fmt.Sprintf("port %d", 1+i+j*(i+1)))
		}
		for j := range 1800 {
			bits = append(bits, fmt.Sprintf("ip[%d]&%d!=%d", j%60, 1<<(j%8), 3+2*i))
		}
		steps = append(steps, tr.long(t, hosts, " or "), tr.long(t, ports, " or "), tr.long(t, bits, " and "))
	}
	return steps
}

// long joins terms.
func (tr *trace) long(t *testing.T, terms []string, operator string) step {
	t.Helper()
	either := operator == " or "
	lets := make(set, len(tr.packets))
	for i := range lets {
		lets[i] = !either
	}
	for _, term := range terms {
		accepted, ok := tr.filter(term)
		if !ok {
			t.Fatalf("libpcap does not have %q", term)
		}
		for i, a := range accepted {
			if a == either {
				lets[i] = either
			}
		}
	}
	return step{call{"BPF_FILTER", []any{strings.Join(terms, operator)}}, lets}
}

// costlyFilters have loops or nested arithmetic.
func costlyFilters() (filters []string) {
	for i := range 30 {
		filters = append(filters, fmt.Sprintf("ip6 protochain %d", i), fmt.Sprintf("ip protochain %d or ip6 protochain 17", i))
	}
	for i := range 20 {
		at := "0"
		for range 8 {
			at = fmt.Sprintf("(ip[%s] * %d & 63)", at, 3+i)
		}
		filters = append(filters, fmt.Sprintf("ip[%s] > %d", at, i))
	}
	return filters
}

// hostileQuests are strings within strings that begin late, and more strings
// than are searched together.
func hostileQuests() (quests []quest) {
	for i := range 40 {
		nested, many := quest{offset: i}, quest{offset: 42}
		for j := range 1024 {
			nested.alternatives = append(nested.alternatives, bytes.Repeat([]byte{'a'}, 1+(i+j)%28))
			many.alternatives = append(many.alternatives, []byte{byte('A' + i), byte('a' + j%26), byte('a' + j/26%26), byte('0' + j/676)})
		}
		quests = append(quests, nested, many)
	}
	return quests
}

// besides are packets that match hostile strings often.
func besides() (packets []mapitest.Packet) {
	for _, text := range []string{strings.Repeat("a", 1400), strings.Repeat("a", 27) + "b", "Haa0" + strings.Repeat("ab", 700)} {
		packets = append(packets, mapitest.Packet{Data: append([]byte(endlessHead), text...), Wire: len(endlessHead) + len(text)})
	}
	return packets
}

// endlessHead is Ethernet and IPv6 with a chain of extension headers that
// continues to the end of the bytes.
var endlessHead = "\x01\x00\x5e\x00\x00\x12\x00\x01\x02\x03\x04\x05\x86\xdd\x60\x00\x00\x00\x05\x00\x3c\x40" +
	strings.Repeat("\xfe\x80\x00\x00\x00\x00\x00\x01", 4) + strings.Repeat("\x3c\x00\x05\x02\x00\x00\x00\x00", 30)

// TestHostileCrowd has programs that request expensive work. The daemon
// continues, all counts are exact, including theirs, and its books report what
// runs singly.
func TestHostileCrowd(t *testing.T) {
	d := mapitest.Start(t)
	tr := mixture(t, 2)
	tr.packets = append(tr.packets, besides()...)
	s := &street{device: d.Device("eth0"), tr: tr}
	honest := d.Client()
	for _, steps := range newDrawer(rand.New(rand.NewPCG(newSeed(t), 0)), tr, manualFilters(t)).chains(60) {
		s.share(t, honest, steps, 1)
	}
	begun := time.Now()
	var clients []*mapi.Client
	for range 4 {
		clients = append(clients, d.Client())
	}
	for i, steps := range tr.hostile(t) {
		s.share(t, clients[i%len(clients)], steps, 1)
	}
	t.Logf("%d flows after %v", len(s.parties), time.Since(begun))
	all := func() { s.sendAll(t); s.check(t) }
	all()
	decidedTogether(t, honest, "eth0", all)
	t.Logf("decided together after %v", time.Since(begun))
	all()
	b, err := honest.Books(t.Context(), "eth0")
	must(t, err)
	t.Logf("%+v", b.Notes)
	for _, name := range []string{books.SingleFilters, books.SingleSearches} {
		if note(t, b, name) == 0 {
			t.Errorf("no %s", name)
		}
	}
	for _, c := range clients {
		must(t, c.Close())
	}
	s.parties = s.parties[:60]
	decidedTogether(t, honest, "eth0", all)
	all()
}

// hostile are the flows of hostile programs.
func (tr *trace) hostile(t *testing.T) (chains []chain) {
	t.Helper()
	for _, s := range tr.longFilters(t) {
		chains = append(chains, chain{s, packetCounter, byteCounter})
	}
	for _, expr := range costlyFilters() {
		s, ok := tr.filtering(expr)
		if !ok {
			t.Fatalf("libpcap does not have %q", expr)
		}
		chains = append(chains, chain{s, packetCounter, byteCounter})
	}
	for _, q := range hostileQuests() {
		chains = append(chains, chain{tr.searching(q), packetCounter, byteCounter})
	}
	return chains
}

// sendAll sends each packet of the trace once.
func (s *street) sendAll(t *testing.T) {
	t.Helper()
	must(t, s.device.Send(s.tr.packets...))
	numbers := make([]int, len(s.tr.packets))
	for i := range numbers {
		numbers[i] = i
	}
	for _, p := range s.parties {
		p.see(s.tr, numbers)
	}
}
