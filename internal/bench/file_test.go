package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gomapi/internal/tracegen"
)

// TestCompetitors compares what the libpcap programs count with tcpdump and with
// what the file has.
func TestCompetitors(t *testing.T) {
	const packets = 3000
	b := &bench{dir: t.TempDir(), packets: packets}
	b.buildPrograms()
	all := tracegen.Strings(95, 1)
	want := tracegen.CountStrings(all, packets, 1)
	tasks := []string{"f udp", "p 7"}
	for _, s := range all {
		tasks = append(tasks, "s "+s)
	}
	cpu, got := b.readLibpcap(t.Context(), 0, tasks)
	if d := cmp.Diff(want, got[2:]); d != "" || cpu <= 0 {
		t.Errorf("strings, in %v: %s", cpu, d)
	}
	if got[1].Packets != packets/7 {
		t.Errorf("one in 7 of %d packets are %d", packets, got[1].Packets)
	}
	if _, udp := b.readTcpdump(t.Context(), "udp"); got[0].Packets != udp[0].Packets {
		t.Errorf("libpcap counts %d packets of UDP, tcpdump %d", got[0].Packets, udp[0].Packets)
	}
	err := catch(func() { b.readLibpcap(t.Context(), 0, []string{"f no filter"}) })
	if err == nil || !strings.Contains(err.Error(), "no filter") {
		t.Errorf("a filter that does not compile gives %v", err)
	}
	err = catch(func() {
		compareCounts("it", []tracegen.Count{{Packets: 1}, {Packets: 3}}, []tracegen.Count{{Packets: 1}, {Packets: 4}})
	})
	if err == nil || !strings.Contains(err.Error(), "flow 2 of 2") {
		t.Errorf("counts that differ give %v", err)
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
	pids := treeOf(os.Getpid())
	if len(pids) < 2 || pids[0] != os.Getpid() {
		t.Errorf("processes %v, want this one and its child", pids)
	}
	if memory := memoryOf(os.Getpid()); memory < 1<<20 || memory > 1<<40 {
		t.Errorf("%d bytes", memory)
	}
	if cpu := cpuOf(os.Getpid()); cpu <= 0 {
		t.Errorf("CPU time %v", cpu)
	}
	if n := switchesOf(os.Getpid()); n == 0 {
		t.Error("no context switches")
	}
}

func TestFigures(t *testing.T) {
	s := figures{5, 1, 4, 2, 3}
	if s.median() != 3 || s.at(0) != 1 || s.at(1) != 5 || s.both(1) != "3.0 (1.0)" {
		t.Errorf("median %g, least %g, most %g, %q", s.median(), s.at(0), s.at(1), s.both(1))
	}
}
