package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomapi/internal/capfile"
	"gomapi/internal/pkt"
)

// inZone runs mapi with a value of TZ.
func inZone(t *testing.T, tz string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(filepath.Join(bin, "mapi"), args...)
	cmd.Env = append(os.Environ(), "TZ="+tz)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	return out.String(), errs.String()
}

// TestTimeZone checks that dump and STARTSTOP print local time of the zone in
// TZ, including a zone given by a rule.
func TestTimeZone(t *testing.T) {
	const first = 1700000000 // 22:13:20 UTC
	file := capfile.AppendHead(nil, pkt.DLTEthernet)
	for i := range uint64(11) {
		file = capfile.AppendRecord(file, &pkt.Packet{TS: pkt.TS(first+i, 0), Link: make([]byte, 60), Wire: 60})
	}
	path := filepath.Join(t.TempDir(), "seconds.pcap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for tz, begin := range map[string]string{
		"UTC+3": "19:13:20.000000 ", "<+0330>-3:30": "01:43:20.000000 ", "EST5EDT,M3.2.0,M11.1.0": "17:13:20.000000 ",
		"UTC": "22:13:20.000000 ",
	} {
		if out, errs := inZone(t, tz, "dump", "-r", path); !strings.HasPrefix(out, begin) || errs != "" {
			t.Errorf("TZ=%s: %.60q, %q, want %q", tz, out, errs, begin)
		}
	}
	out, _ := inZone(t, "UTC+3", "apply", "-r", path, "STARTSTOP", "2023-11-14 19:13:22", "2023-11-14 19:13:26", ",", "PKT_COUNTER")
	if !strings.Contains(out, "2 PKT_COUNTER: 5 packets\n") {
		t.Errorf("between the third packet and the seventh: %s", out)
	}
	out, errs := inZone(t, "Nowhere", "dump", "-r", path)
	if !strings.HasPrefix(out, "22:13:20") || !strings.HasPrefix(errs, `mapi: TZ="Nowhere" is not a time zone, times are in UTC`) {
		t.Errorf("an invalid zone: %.60q, %q", out, errs)
	}
}

// TestTimeZoneOfLog reads the first line of a daemon's log.
func TestTimeZoneOfLog(t *testing.T) {
	firstLine := func(tz string) string {
		cmd := exec.Command(filepath.Join(bin, "mapid"), "--builtin", "--socket", filepath.Join(t.TempDir(), "s"))
		cmd.Env = append(os.Environ(), "TZ="+tz)
		log, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		line, err := bufio.NewReader(log).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	line := firstLine("XXX-100") // four days and four hours ahead
	day, clock, _ := strings.Cut(line, " ")
	clock, _, _ = strings.Cut(clock, " ")
	at, err := time.Parse("2/1/2006 15:04:05", day+" "+clock)
	if ahead := at.Sub(time.Now().UTC()); err != nil || ahead < 99*time.Hour || ahead > 100*time.Hour {
		t.Errorf("%q is %v ahead, want 100 hours: %v", line, ahead, err)
	}
	if line := firstLine("Nowhere"); !strings.Contains(line, `warning: TZ="Nowhere" is not a time zone, times are in UTC`) {
		t.Errorf("%q does not mention the zone", line)
	}
}
