package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"

	"gomapi/internal/config"
)

// stamp is the original's time format, D/M/YYYY HH:MM:SS.
var stamp = regexp.MustCompile(`(?m)^\d{1,2}/\d{1,2}/\d{4} \d\d:\d\d:\d\d `)

// where writes messages with a logger and returns which of them reached which
// destination.
func where(t *testing.T, s logSetup, log bool) map[string]string {
	t.Helper()
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	s.stdout, s.stderr = &stdout, &stderr
	if log {
		s.base = filepath.Join(dir, "mapi")
	}
	var system func() string
	if s.syslog != nil {
		system = syslogd(t, s.syslog)
	}
	l := newLogger(s)
	l.Debug("d")
	l.Info("i")
	l.Warn("w")
	l.Error("e")
	l.Close()

	got := map[string]string{"stdout": stdout.String(), "stderr": stderr.String()}
	for _, name := range []string{"info", "debug"} {
		text, err := os.ReadFile(filepath.Join(dir, "mapi."+name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		got[name] = string(text)
	}
	for name, text := range got {
		if n := strings.Count(text, "\n"); n != len(stamp.FindAllString(text, -1)) {
			t.Errorf("%s has lines without a time stamp: %q", name, text)
		}
		got[name] = strings.ReplaceAll(strings.TrimSpace(stamp.ReplaceAllString(text, "")), "\n", " ")
	}
	if system != nil {
		got["syslog"] = system()
	}
	for name, text := range got {
		if text == "" {
			delete(got, name)
		}
	}
	return got
}

// syslogd is a log daemon for s. The returned function gives the priority and
// text of the received messages.
func syslogd(t *testing.T, s *syslogSink) func() string {
	t.Helper()
	s.network, s.addr = "unixgram", filepath.Join(t.TempDir(), "log")
	conn, err := net.ListenUnixgram(s.network, &net.UnixAddr{Net: s.network, Name: s.addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	line := regexp.MustCompile(`^<(\d+)>.* MAPID\[\d+\]: (.*)\n$`)
	return func() string {
		var got []string
		for message := taken(t, conn); message != ""; message = taken(t, conn) {
			m := line.FindStringSubmatch(message)
			if m == nil {
				t.Fatalf("syslog message %q", message)
			}
			got = append(got, m[1]+":"+m[2])
		}
		return strings.Join(got, " ")
	}
}

// taken reads the next message from a socket without waiting. All sent messages
// are there already.
func taken(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	buf, n := make([]byte, 8192), 0
	if err := raw.Control(func(fd uintptr) { n, _, _ = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT) }); err != nil {
		t.Fatal(err)
	}
	return string(buf[:max(n, 0)])
}

func TestRoutes(t *testing.T) {
	const info = "i warning: w error: e"
	// Facility local1 is 17; severities are debug 7, info 6, warning 4, error 3
	// (RFC 5424, section 6.2.1).
	const sysInfo = "142:i 140:warning: w 139:error: e"
	const sysAll = "143:d " + sysInfo
	for _, c := range []struct {
		level               int
		syslog, file, quiet bool
		want                map[string]string
	}{
		{level: 0, want: map[string]string{"stderr": info}},
		{level: 1, want: map[string]string{"stderr": info, "stdout": "d"}},
		{level: 2, want: map[string]string{"stderr": info}},
		{level: 0, file: true, want: map[string]string{"info": info}},
		{level: 1, file: true, want: map[string]string{"info": info, "debug": "d", "stdout": "d"}},
		{level: 2, file: true, want: map[string]string{"info": info, "debug": "d"}},
		{level: 0, syslog: true, want: map[string]string{"syslog": sysInfo}},
		{level: 1, syslog: true, want: map[string]string{"syslog": sysAll, "stdout": "d"}},
		{level: 2, syslog: true, want: map[string]string{"syslog": sysAll}},
		{level: 2, syslog: true, file: true, want: map[string]string{"syslog": sysAll, "info": info, "debug": "d"}},
		{level: 2, quiet: true, want: map[string]string{"stderr": "warning: w error: e"}},
		{level: 2, quiet: true, file: true, want: map[string]string{"info": info, "debug": "d"}},
	} {
		s := logSetup{level: c.level, private: c.quiet}
		if c.syslog {
			s.syslog = &syslogSink{}
		}
		if diff := cmp.Diff(c.want, where(t, s, c.file)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c, diff)
		}
	}
}

func TestLogSetup(t *testing.T) {
	s := &setup{Config: &config.Config{LogLevel: 1, LogFile: "/l"}}
	for _, c := range []struct {
		o    options
		want string
	}{
		{options{serveFD: -1}, "1 /l stdout"},
		{options{serveFD: -1, daemon: true}, "1 /l"},
		{options{serveFD: -1, syslog: true}, "1 /l syslog stdout"},
		{options{serveFD: 3}, "0  stdout"},
		{options{serveFD: 3, config: "c"}, "1 /l stdout"},
	} {
		l := s.logSetup(&c.o, &bytes.Buffer{}, &bytes.Buffer{})
		got := fmt.Sprint(l.level, " ", l.base)
		if l.syslog != nil {
			got += " syslog"
		}
		if l.stdout != nil {
			got += " stdout"
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
}

func TestFormat(t *testing.T) {
	at := time.Date(2009, time.March, 4, 5, 6, 7, 0, time.Local)
	for _, c := range []struct {
		level  logrus.Level
		text   string
		fields logrus.Fields
		want   string
	}{
		{logrus.InfoLevel, "flow created", logrus.Fields{"fd": 3, "device": "eth0"},
			"4/3/2009 05:06:07 flow created device=eth0 fd=3\n"},
		{logrus.WarnLevel, "text", logrus.Fields{"expr": `a="b c"`, "none": ""},
			`4/3/2009 05:06:07 warning: text expr="a=\"b c\"" none=""` + "\n"},
		{logrus.ErrorLevel, "two\nlines\x1b[31m\u0085\x7f\u2028", nil,
			"4/3/2009 05:06:07 error: two?lines?[31m???\n"},
		{logrus.InfoLevel, strings.Repeat("x", maxMessage+1), nil,
			"4/3/2009 05:06:07 " + strings.Repeat("x", maxMessage) + "...\n"},
	} {
		e := &logrus.Entry{Level: c.level, Time: at, Message: c.text, Data: c.fields}
		got, err := lineFormatter{stamp: true}.Format(e)
		if err != nil || string(got) != c.want {
			t.Errorf("%q, %v, want %q", got, err, c.want)
		}
	}
}

// TestReport checks that a problem is logged once, with its place and severity.
func TestReport(t *testing.T) {
	var stderr bytes.Buffer
	l := newLogger(logSetup{stderr: &stderr})
	s := &setup{note: "note", problems: []config.Problem{
		{File: "f", Line: 1, Text: "odd", Warning: true}, {File: "f", Line: 2, Text: "100% wrong"},
	}}
	s.report(l)
	l.Close()
	want := "note\nwarning: f:1: odd\nerror: f:2: 100% wrong\n"
	if got := stamp.ReplaceAllString(stderr.String(), ""); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWarnClosed(t *testing.T) {
	for _, c := range []struct {
		err  error
		warn bool
	}{{nil, false}, {user.UnknownGroupError("mapi"), true}, {os.ErrPermission, false}} {
		var stderr bytes.Buffer
		l := newLogger(logSetup{stderr: &stderr})
		warnClosed(l, func(string) (*user.Group, error) { return &user.Group{}, c.err })
		l.Close()
		if strings.Contains(stderr.String(), "groupadd --system mapi") != c.warn {
			t.Errorf("%v: %q", c.err, &stderr)
		}
	}
}
