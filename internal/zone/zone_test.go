package zone

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// moments cover a year, and times after 2038.
func moments() (all []time.Time) {
	for month := range 30 * 12 {
		all = append(all, time.Unix(1700000000+int64(month)*2_629_743, 0))
	}
	return all
}

// TestRules compares with date(1), which uses the C library.
func TestRules(t *testing.T) {
	if _, err := exec.LookPath("date"); err != nil {
		t.Skip(err)
	}
	for _, tz := range []string{
		"UTC+3", "UTC3", ":UTC-3", "<+0330>-3:30", "<-03>3", "EST5EDT,M3.2.0,M11.1.0", "CET-1CEST,M3.5.0,M10.5.0/3",
		"NZST-12NZDT,M9.5.0,M4.1.0/3", "IST-1GMT0,M10.5.0,M3.5.0/1", "XXX3YYY,J60,J300/4:30", "XXX-5:45:30YYY-7,59/1,280",
	} {
		loc, err := parse(tz)
		if err != nil || loc == nil {
			t.Errorf("%s: %v, %v", tz, loc, err)
			continue
		}
		var ask strings.Builder
		for _, m := range moments() {
			fmt.Fprintf(&ask, "@%d\n", m.Unix())
		}
		cmd := exec.Command("date", "-f", "-", "+%s %Y-%m-%d %H:%M:%S %Z")
		cmd.Stdin, cmd.Env = strings.NewReader(ask.String()), append(os.Environ(), "TZ="+tz)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			seconds, want, _ := strings.Cut(strings.TrimSpace(line), " ")
			n, err := strconv.ParseInt(seconds, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			m := time.Unix(n, 0).In(loc)
			name, _ := m.Zone()
			if got := m.Format(time.DateTime) + " " + name; got != want {
				t.Errorf("%s: %s is %s, date says %s", tz, seconds, got, want)
			}
		}
	}
}

// TestNames checks that zones with a file are left to the standard library.
func TestNames(t *testing.T) {
	if _, err := time.LoadLocation("Europe/Athens"); err != nil {
		t.Skip(err)
	}
	for _, tz := range []string{"", ":", "UTC", "Europe/Athens", ":Europe/Athens"} {
		if loc, err := parse(tz); loc != nil || err != nil {
			t.Errorf("%q: %v, %v", tz, loc, err)
		}
	}
}

func TestNoZone(t *testing.T) {
	for _, tz := range []string{
		"Mars/Phobos", "Mars/Phobos5", "Local", "X3", "UTC+", "UTC+999", "<+03", "<+03>", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,M11.1.0x",
		"/nonexistent", "/etc/passwd", "UTC+3\x00", "3",
	} {
		loc, err := parse(tz)
		if err == nil || loc != time.UTC || !strings.Contains(err.Error(), strconv.Quote(tz)) {
			t.Errorf("%q: %v, %v", tz, loc, err)
		}
	}
}

// TestUse runs in a separate process, because time.Local is global.
func TestUse(t *testing.T) {
	const child = "ZONE_TEST_CHILD"
	if os.Getenv(child) != "" {
		err := Use()
		fmt.Println(time.Unix(1700000000, 0).Format(time.DateTime), err)
		os.Exit(0)
	}
	for tz, want := range map[string]string{
		"UTC+3":   "2023-11-14 19:13:20 <nil>",
		"UTC-3":   "2023-11-15 01:13:20 <nil>",
		"UTC":     "2023-11-14 22:13:20 <nil>",
		"Nowhere": `2023-11-14 22:13:20 TZ="Nowhere" is not a time zone, times are in UTC`,
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestUse$")
		cmd.Env = append(os.Environ(), child+"=1", "TZ="+tz)
		out, err := cmd.Output()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("TZ=%s: %q, %v, want %q", tz, out, err, want)
		}
	}
}
