package libpcap

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gomapi/internal/bpf"
	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
)

func TestCompile(t *testing.T) {
	raw, err := Compile("tcp and dst port 80", 1)
	if err != nil {
		t.Fatal(err)
	}
	// tcpdump -d -y EN10MB -s 262144 'tcp and dst port 80' prints 16 instructions.
	if last := raw[len(raw)-2]; len(raw) != 16 || last.Op != 0x06 || last.K != 262144 {
		t.Errorf("%d instructions, accepting %v", len(raw), last)
	}
}

func TestCompileRefuses(t *testing.T) {
	const names = "host names are not looked up: use addresses"
	for expr, text := range map[string]string{
		"host localhost":                  names,
		"host example.com":                names,
		"ip6 host localhost":              names,
		"src nosuch":                      names,
		"net loopback":                    names,
		"net link-local":                  names,
		"ether host nosuch":               names,
		"tcp and not (dst host a or b)":   names,
		"gateway example.com":             "not supported",
		"port nosuch":                     "unknown port",
		"ip proto nosuch":                 "unknown ip proto",
		"tcp and and":                     "syntax error",
		"tcp (":                           "syntax error",
		"ip and not ip":                   "rejects all packets",
		"ip[0] << 40 = 1":                 "shift by more than 31",
		"ip[0]/0 = 1":                     "division by zero",
		"host 1.2.3.4.5":                  "",
		"net 10.0.0.1/8":                  "non-network bits set",
		"inbound":                         "not supported",
		"vlan 5000":                       "",
		"tcp\x00 or udp":                  "NUL byte at offset 3",
		strings.Repeat("ip or ", 6000):    "at most 32768 are allowed",
		strings.Repeat("(", 30000) + "ip": "",
	} {
		raw, err := Compile(expr, 1)
		if raw != nil || mapierr.CodeOf(err, 0) != mapierr.PcapBPF || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v; want 1025 with %q", filter.Quote(expr), err, text)
		}
	}
}

func TestCompileLinkTypes(t *testing.T) {
	for linkType, ok := range map[uint16]bool{
		0: true, 1: true, 9: true, 12: true, 113: true, 228: true, 229: true, 276: true, // SLL2 is above 255
		65000: false,
	} {
		if _, err := Compile("tcp port 80", linkType); (err == nil) != ok {
			t.Errorf("link type %d: %v", linkType, err)
		}
	}
}

// TestCompileLong: long expressions compile without the optimiser, in bounded time.
func TestCompileLong(t *testing.T) {
	for terms, optimized := range map[int]bool{40: true, 1000: false} {
		raw, err := Compile(hosts(terms), 1)
		if err != nil {
			t.Fatal(err)
		}
		if short := len(raw) < 5*terms; short != optimized {
			t.Errorf("%d terms become %d instructions", terms, len(raw))
		}
	}
}

// hosts returns an expression of n terms that no optimiser can shorten.
func hosts(n int) string {
	terms := make([]string, n)
	for i := range terms {
		terms[i] = fmt.Sprintf("host 10.%d.%d.7", i/250, i%250)
	}
	return strings.Join(terms, " or ")
}

// TestCompileNested: an expression nested as deeply as the language allows has the
// meaning of its core or gives an error, but never crashes.
func TestCompileNested(t *testing.T) {
	deep := map[string]string{
		"parentheses": strings.Repeat("(", 16000) + "ip" + strings.Repeat(")", 16000),
		"not":         strings.Repeat("not ", 8000) + "ip",
		"!":           strings.Repeat("!", 32000) + "ip",
		"loads":       "ip" + strings.Repeat("[ip", 6000) + "[0" + strings.Repeat("]", 6001) + "=1",
		"sum":         "ip[0]" + strings.Repeat("+1", 3000) + "=1",
	}
	for name, expr := range deep {
		raw, err := Compile(expr, 1)
		if (err == nil) == (raw == nil) {
			t.Errorf("%s: %d instructions and error %v", name, len(raw), err)
		}
		if err == nil {
			if _, err := bpf.NewProgram(raw); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestInProcess(t *testing.T) {
	var c filter.Compiler = InProcess{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, expr := range []string{"port http", "host ::1", "ip proto gre"} {
				if _, err := c.Compile(context.Background(), expr, 1); err != nil {
					t.Error(err)
				}
			}
			_, err := c.Compile(context.Background(), "host localhost", 1)
			if mapierr.CodeOf(err, 0) != mapierr.PcapBPF {
				t.Errorf("%v is not 1025", err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{1, 10, 40, 100, 600, 1000} {
		expr := hosts(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Compile(expr, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
