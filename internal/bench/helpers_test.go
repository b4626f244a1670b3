package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gomapi/internal/bench/plot"
	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

// write makes a small capture file.
func writeTrace(t *testing.T, packets int) string {
	t.Helper()
	path, err := sampleFile(t.TempDir(), packets)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCountStrings compares with the plain way.
func TestCountStrings(t *testing.T) {
	const packets = 2000
	path := writeTrace(t, packets)
	patterns, err := drawStrings(path, 95, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := countStrings(path, patterns, packets)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]tracegen.Count, len(patterns))
	err = eachFrame(path, packets, func(frame []byte) bool {
		for i, p := range patterns {
			if bytes.Contains(frame, []byte(p)) {
				want[i].Packets++
				want[i].Bytes += uint64(len(frame))
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n := sumOf(got); n < 10 {
		t.Errorf("%d matches, want one for each tenth string at least", n)
	}
}

// TestOffline builds the libpcap programs and compares what they count with tcpdump
// and with the plain way.
func TestOffline(t *testing.T) {
	const packets = 3000
	b := &bench{dir: t.TempDir(), trace: writeTrace(t, packets)}
	if err := b.buildPrograms(); err != nil {
		t.Fatal(err)
	}
	patterns, err := drawStrings(b.trace, 30, 1)
	if err != nil {
		t.Fatal(err)
	}
	want, err := countStrings(b.trace, patterns, packets)
	if err != nil {
		t.Fatal(err)
	}
	tasks := []string{"f udp", "p 7"}
	for _, p := range patterns {
		tasks = append(tasks, "s "+p)
	}
	cpu, got, err := b.offline(t.Context(), 0, tasks)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got[2:]); d != "" || cpu <= 0 {
		t.Errorf("strings, in %v: %s", cpu, d)
	}
	if got[1].Packets != packets/7 {
		t.Errorf("one in 7 of %d packets are %d", packets, got[1].Packets)
	}
	if _, udp, err := tcpdumpFile(b.trace, "udp"); err != nil || got[0].Packets != udp {
		t.Errorf("libpcap counts %d packets of UDP, tcpdump %d, %v", got[0].Packets, udp, err)
	}
	if _, _, err := b.offline(t.Context(), 0, []string{"f no filter"}); err == nil || !strings.Contains(err.Error(), "no filter") {
		t.Errorf("a filter that does not compile gives %v", err)
	}
}

func TestParseOffline(t *testing.T) {
	for _, c := range []struct {
		text  string
		tasks int
		ok    bool
	}{
		{"17\n1 2\n3 4\n", 2, true}, {"17\n", 0, true},
		{"17\n1 2\n", 2, false}, {"x\n1 2\n", 1, false}, {"17\n1\n", 1, false}, {"", 1, false},
	} {
		cpu, counts, err := parseOffline(c.text, c.tasks)
		if (err == nil) != c.ok || err == nil && (cpu != 17*time.Nanosecond || len(counts) != c.tasks) {
			t.Errorf("%q: %v, %v, %v", c.text, cpu, counts, err)
		}
	}
}

// TestLoads looks at the frames that loads change.
func TestLoads(t *testing.T) {
	frames := datagrams(frameSize)
	ports := newPortLoad()
	for i := range 2 * portsSent {
		ports.touch(frames[i%len(frames)])
	}
	for port, n := range ports.sent[1:] {
		if n != 2 {
			t.Fatalf("%d packets to port %d, want 2", n, port+1)
		}
	}
	words := newLetters().words(3)
	l := newWordLoad(words)
	found := make([]uint64, len(words))
	for i := range 10_000 {
		f := frames[i%len(frames)]
		l.touch(f)
		for j, w := range words {
			if bytes.Contains(f, []byte(w)) {
				found[j]++
			}
		}
	}
	if d := cmp.Diff(l.sent, found); d != "" || found[0]+found[1]+found[2] != 10 {
		t.Errorf("words in packets: %v, %s", found, d)
	}
	for _, f := range frames {
		if len(f) != frameSize {
			t.Fatalf("a frame of %d bytes", len(f))
		}
	}
}

func TestCompareAnswers(t *testing.T) {
	for _, c := range []struct {
		got     answer
		missing uint64
		want    uint64
		ok      bool
	}{
		{answer{found: 5}, 0, 5, true}, {answer{found: 4}, 0, 5, false}, {answer{found: 6}, 0, 5, false},
		{answer{found: 4, lost: 1}, 0, 5, true}, {answer{found: 3, lost: 1}, 1, 5, true}, {answer{found: 2, lost: 1}, 1, 5, false},
	} {
		err := compareAnswers([]answer{c.got}, account{arrived: 9, missing: c.missing, want: []uint64{c.want}})
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestProcesses measures a child whose use is known in part.
func TestProcesses(t *testing.T) {
	cmd := exec.Command("sh", "-c", "echo; sleep 60 & wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	pids, err := treeOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if len(pids) < 2 || pids[0] != os.Getpid() {
		t.Errorf("processes %v, want this one and its child", pids)
	}
	memory, err := memoryOf(os.Getpid())
	if err != nil || memory < 1<<20 || memory > 1<<40 {
		t.Errorf("%d bytes, %v", memory, err)
	}
	if _, err := cpuOfTree(cmd.Process.Pid); err != nil {
		t.Error(err)
	}
	const status = "Name:\tx\nRssAnon:\t    100 kB\nRssFile:\t  20 kB\nRssShmem:\t 3 kB\n"
	if all, own := resident(status, true), resident(status, false); all != 123<<10 || own != 120<<10 {
		t.Errorf("resident: %d and %d", all, own)
	}
}

func TestIdle(t *testing.T) {
	w, err := watchIdle()
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
	}
	if p, err := w.percent(); err != nil || p < 0 || p > 100 {
		t.Errorf("idle %g %%, %v", p, err)
	}
}

// TestPictures looks whether each chart of the report has its file.
func TestPictures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "performance")
	b := &bench{gallery: dir}
	text := b.chart("some-name", plot.Chart{Title: "x"})
	if err := b.writePictures(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "](performance/some-name.svg)") {
		t.Errorf("the report shows %q", text)
	}
	svg, err := os.ReadFile(filepath.Join(dir, "some-name.svg"))
	if err != nil || !bytes.HasPrefix(svg, []byte("<svg")) {
		t.Errorf("picture %.20q, %v", svg, err)
	}
}

func TestRandomStringsArePlain(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		if s := randomString(random); len(s) != stringLength || strings.ContainsAny(s, `|\ `) {
			t.Fatalf("%q", s)
		}
	}
}

// TestStream sends at a rate.
func TestStream(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		r := newRoad(ns)
		s, err := r.stream(stream{size: frameSize, mbit: 50, frames: datagrams(frameSize), length: time.Minute, most: 500})
		if err != nil {
			t.Fatal(err)
		}
		if s.sent != 500 || s.arrived != 500 || s.mbit > 60 {
			t.Errorf("%+v, want 500 packets at 50 Mbit/s", s)
		}
	})
}

func TestBreaking(t *testing.T) {
	b := &bench{paper: paper{teamRates: []float64{100, 500}}}
	row := func(n int, mbit, mapid, libpcap float64) *teamRow {
		return &teamRow{programs: n, mbit: mbit, mapid: teamSide{missed: []float64{mapid}}, libpcap: teamSide{missed: []float64{libpcap}}}
	}
	got := b.breaking([]*teamRow{row(1, 100, 0, 0), row(1, 500, 0, 0.5), row(9, 100, 0, 2), row(9, 500, 1.5, 60)})
	want := "\nMore than 1 % is missed at 100 Mbit/s with mapid never, with libpcap from 9 programs on;" +
		" at 500 Mbit/s with mapid from 9 programs on, with libpcap from 9 programs on.\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMissed(t *testing.T) {
	for _, c := range []struct {
		mbit, lost    float64
		sent, arrived uint64
		want          float64
	}{
		{500, 0, 10, 10, 0}, {495, 0, 10, 10, 0}, {250, 0, 10, 10, 50}, {250, 50, 10, 10, 75}, {500, 10, 10, 10, 10}, {500, 0, 10, 9, 10},
	} {
		w := work{sending: sending{sent: c.sent, arrived: c.arrived, mbit: c.mbit}, lost: c.lost}
		if got := w.missed(500); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%+v: %g", c, got)
		}
	}
}
