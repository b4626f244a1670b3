package libpcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/bpf"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
	"gomapi/internal/tracegen"
)

// traffic returns the first packets of the benchmark's trace.
func traffic(t testing.TB, n int) []pkt.Packet {
	t.Helper()
	var file bytes.Buffer
	if _, err := tracegen.Write(&file, n, 1); err != nil {
		t.Fatal(err)
	}
	var pkts []pkt.Packet
	for b := file.Bytes()[24:]; len(b) > 0; {
		captured := binary.LittleEndian.Uint32(b[8:])
		pkts = append(pkts, pkt.Packet{Link: b[16 : 16+captured], Wire: binary.LittleEndian.Uint32(b[12:])})
		b = b[16+captured:]
	}
	return pkts
}

// scattered returns n programs "udp dst port i", from 1 up, all derived from one.
func scattered(t testing.TB, n int) []*bpf.Program {
	t.Helper()
	raw, err := Compile("udp dst port 4242", 1)
	if err != nil {
		t.Fatal(err)
	}
	programs := make([]*bpf.Program, n)
	for i := range programs {
		own := slices.Clone(raw)
		for pc := range own {
			if own[pc].K == 4242 {
				own[pc].K = uint32(i + 1)
			}
		}
		p, err := bpf.NewProgram(own)
		if err != nil {
			t.Fatal(err)
		}
		programs[i] = p
	}
	return programs
}

// mixture returns n expressions about the traffic's networks and ports: hosts, networks
// of all lengths, ports, ranges, flags, combinations, negations.
func mixture(r *rand.Rand, n int) []string {
	host := func() string {
		return pick(r, fmt.Sprintf("10.20.%d.%d", r.IntN(256), r.IntN(256)), fmt.Sprintf("172.16.%d.%d", r.IntN(64), r.IntN(256)),
			fmt.Sprintf("198.18.%d.%d", r.IntN(128), r.IntN(256)), fmt.Sprintf("192.168.1.%d", r.IntN(256)),
			fmt.Sprintf("2001:db8:0:ac10:%d::%x", 0, r.IntN(1<<16)), fmt.Sprintf("%d.%d.%d.%d", 1+r.IntN(223), r.IntN(256), r.IntN(256), r.IntN(256)))
	}
	network := func() string {
		a := r.Uint32()
		if r.IntN(2) == 0 {
			a = pick(r, uint32(0x0a140000), 0xac100000, 0xc6120000, 0xc0a80100) | a&0xffff
		}
		bits := 8 + r.IntN(25)
		a &= ^uint32(0) << (32 - bits)
		return fmt.Sprintf("%d.%d.%d.%d/%d", a>>24, a>>16&255, a>>8&255, a&255, bits)
	}
	direction := func() string { return pick(r, "", "src ", "dst ") }
	port := func() int { return pick(r, 80, 443, 53, 22, 1+r.IntN(65535), 1+r.IntN(65535), 1+r.IntN(65535)) }
	ranged := func() string {
		low := 1 + r.IntN(65000)
		return fmt.Sprintf("%sportrange %d-%d", direction(), low, min(65535, low+1+r.IntN(1<<r.IntN(10))))
	}
	seen := make(map[string]bool)
	var exprs []string
	for len(exprs) < n {
		var e string
		switch kind := r.IntN(200); {
		case kind < 50:
			e = direction() + "host " + host()
		case kind < 80:
			e = direction() + "net " + network()
		case kind < 110:
			e = pick(r, "tcp ", "udp ", "") + direction() + fmt.Sprint("port ", 1+r.IntN(65535))
		case kind < 125:
			e = ranged()
		case kind < 150:
			e = "host " + host() + pick(r, " and ", " and not ") + fmt.Sprint("port ", port())
		case kind < 170:
			e = pick(r, "tcp", "udp") + " and net " + network() + fmt.Sprint(" and dst port ", port())
		case kind < 185:
			e = "src host " + host() + " and dst net " + network()
		case kind < 190:
			e = fmt.Sprintf("tcp[tcpflags] & 0x%x != 0 and host %s", 1<<r.IntN(6), host())
		case kind < 193:
			e = "host " + host() + " or " + ranged()
		case kind < 196:
			e = fmt.Sprintf("net %s and greater %d", network(), r.IntN(1500))
		case kind < 197:
			e = "not " + pick(r, "host "+host(), "net "+network(), fmt.Sprint("port ", 1+r.IntN(65535)))
		default:
			e = fmt.Sprintf("(tcp[tcpflags] & 0x%x = 0 or ip proto 17) and host %s", 1<<r.IntN(6), host())
		}
		if !seen[e] {
			seen[e] = true
			exprs = append(exprs, e)
		}
	}
	return exprs
}

// programs compiles expressions. It leaves out those that can match no packet.
func programs(t testing.TB, exprs []string) []*bpf.Program {
	t.Helper()
	var all []*bpf.Program
	for _, e := range exprs {
		p, err := program(e, 1)
		if err != nil {
			if strings.Contains(err.Error(), "rejects all packets") {
				continue
			}
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func BenchmarkClassifier(b *testing.B) {
	pkts := traffic(b, 1024)
	b.Run("one program", func(b *testing.B) {
		p := scattered(b, 1)[0]
		start := processorTime(b)
		for b.Loop() {
			for i := range pkts {
				p.Match(pkts[i].Link, pkts[i].Wire)
			}
		}
		b.ReportMetric(float64(processorTime(b)-start)/float64(b.N*len(pkts)), "cpu-ns/packet")
	})
	for _, n := range []int{1, 10, 600, 10_000, 60_000} {
		b.Run(fmt.Sprintf("udp dst port/%d", n), func(b *testing.B) { benchmarkClassifier(b, scattered(b, n), pkts) })
	}
	for _, n := range []int{10, 100, 1000, 10_000} {
		all := programs(b, mixture(rand.New(rand.NewPCG(1, uint64(n))), n))
		b.Run(fmt.Sprintf("mixed/%d", n), func(b *testing.B) { benchmarkClassifier(b, all, pkts) })
	}
	many := traffic(b, 1<<14) // more than the caches near the processor hold
	for _, n := range []int{1000, 10_000} {
		all := programs(b, tracegen.Filters(n, 1))
		b.Run(fmt.Sprintf("crowd/%d", n), func(b *testing.B) { benchmarkClassifier(b, all, many) })
	}
}

func benchmarkClassifier(b *testing.B, programs []*bpf.Program, pkts []pkt.Packet) {
	c := classify.NewClassifier(programs)
	var s classify.Scratch
	s.Fit(c)
	m := classify.NewMatches(c.Len())
	members := make([]uint32, 0, c.Len())
	b.ReportAllocs()
	start := processorTime(b)
	for b.Loop() {
		for at := 0; at < len(pkts); at += pkt.MaxBatch {
			c.Classify(&s, pkts[at:min(at+pkt.MaxBatch, len(pkts))], m)
			members = m.Members(members[:0])
			for _, i := range members {
				m.Take(i)
			}
		}
	}
	b.ReportMetric(float64(processorTime(b)-start)/float64(b.N*len(pkts)), "cpu-ns/packet")
	b.ReportMetric(float64(countMatches(c, &s, pkts, m))/float64(len(pkts)), "matches/packet")
	b.ReportMetric(slowest(c, &s, pkts, m).Seconds()*1e6, "µs-slowest")
}

func countMatches(c *classify.Classifier, s *classify.Scratch, pkts []pkt.Packet, m *classify.Matches) (n int) {
	for some := range slices.Chunk(pkts, pkt.MaxBatch) {
		c.Classify(s, some, m)
		for _, set := range take(m) {
			for _, word := range set {
				n += bits.OnesCount64(word)
			}
		}
	}
	return n
}

// slowest returns the time of the slowest packet, measured alone, the best of some tries,
// because others may use the same machine.
func slowest(c *classify.Classifier, s *classify.Scratch, pkts []pkt.Packet, m *classify.Matches) time.Duration {
	most := time.Duration(0)
	for i := range pkts {
		best := time.Hour
		for range 10 {
			start := time.Now()
			c.Classify(s, pkts[i:i+1], m)
			best = min(best, time.Since(start))
		}
		most = max(most, best)
	}
	return most
}

// processorTime returns the processor time of the process, because others may use the
// same machine.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkNewClassifier measures the time to build a classifier, and its memory.
func BenchmarkNewClassifier(b *testing.B) {
	sets := map[string][]*bpf.Program{
		"udp dst port/60000": scattered(b, 60_000),
		"mixed/10000":        programs(b, mixture(rand.New(rand.NewPCG(1, 10_000)), 10_000)),
	}
	for name, set := range sets {
		b.Run(name, func(b *testing.B) {
			var c *classify.Classifier
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := processorTime(b)
			for b.Loop() {
				c = classify.NewClassifier(set)
			}
			b.ReportMetric((processorTime(b)-start).Seconds()/float64(b.N), "cpu-s/build")
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/1e6, "MB-garbage")
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-held")
			if os.Getenv("MAPI_STATS") != "" {
				b.Logf("%s: %+v", strings.ReplaceAll(name, "/", " "), c.Stats())
			}
			runtime.KeepAlive(c)
		})
	}
}
