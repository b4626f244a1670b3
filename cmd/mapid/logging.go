package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// A logSetup configures the destinations of messages:
//
//	          syslog (-s)   <base>.info   <base>.debug   stderr             stdout
//	info      yes           yes                          if neither of these
//	debug     level 1, 2                  level 1, 2                        level 1
//
// Warnings and errors go to the destinations of info messages. A private daemon
// writes only warnings and errors, to stderr.
type logSetup struct {
	level          int         // log_level of mapi.conf
	base           string      // absolute path without extension of the log files; empty: none
	syslog         *syslogSink // nil: none
	private        bool
	stdout, stderr io.Writer // nil in the background
}

func (s *setup) logSetup(o *options, stdout, stderr io.Writer) logSetup {
	l := logSetup{
		level:   s.LogLevel,
		base:    s.LogFile,
		private: o.private(),
	}
	if o.syslog {
		l.syslog = &syslogSink{}
	}
	if o.private() && o.config == "" {
		// The log files of the system's configuration belong to the system's
		// daemon.
		l.level, l.base = 0, ""
	}
	if !o.daemon {
		l.stdout, l.stderr = stdout, stderr
	}
	return l
}

// Levels of logrus for the levels of the original.
var (
	infoLevels  = logrus.AllLevels[:logrus.InfoLevel+1]
	warnLevels  = logrus.AllLevels[:logrus.WarnLevel+1]
	debugLevels = []logrus.Level{logrus.DebugLevel, logrus.TraceLevel}
)

// A logger is a logrus logger with an outlet for each destination.
type logger struct {
	*logrus.Logger
	outlets    []*outlet
	terminal   bool       // errors are shown on stderr
	complaints sync.Mutex // serializes writes to stderr
	stderr     io.Writer  // for messages about failed destinations; nil in the background
}

// newLogger starts a goroutine for each destination. Close ends them.
func newLogger(s logSetup) *logger {
	l := &logger{Logger: logrus.New(), stderr: s.stderr}
	l.SetOutput(io.Discard)
	l.SetFormatter(lineFormatter{})
	l.SetLevel(logrus.InfoLevel)
	if s.level > 0 {
		l.SetLevel(logrus.DebugLevel)
	}
	if s.syslog != nil {
		l.add("syslog", s.syslog, lineFormatter{}, slices.Concat(infoLevels, debugLevels))
	}
	if s.base != "" {
		l.add(s.base+".info", fileSink{s.base + ".info"}, lineFormatter{stamp: true}, infoLevels)
		l.add(s.base+".debug", fileSink{s.base + ".debug"}, lineFormatter{stamp: true}, debugLevels)
	}
	if l.terminal = s.stderr != nil && s.syslog == nil && s.base == ""; l.terminal {
		levels := infoLevels
		if s.private {
			levels = warnLevels
		}
		l.add("standard error", streamSink{s.stderr}, lineFormatter{stamp: true}, levels)
	}
	if s.level == 1 && s.stdout != nil {
		l.add("standard output", streamSink{s.stdout}, lineFormatter{stamp: true}, debugLevels)
	}
	return l
}

// add sends messages of these levels to a sink. The first failure of the sink,
// which no log can record, goes to stderr if there is a terminal.
func (l *logger) add(name string, s sink, f lineFormatter, levels []logrus.Level) {
	var complain func(error)
	if l.stderr != nil {
		complain = func(err error) {
			l.complaints.Lock()
			defer l.complaints.Unlock()
			fmt.Fprintf(l.stderr, "mapid: messages for %s are lost: %v\n", name, err)
		}
	}
	o := newOutlet(s, f, levels, complain)
	l.outlets = append(l.outlets, o)
	l.AddHook(o)
}

// Close writes queued messages and waits for the goroutines of the outlets, for
// at most closeWait in total: a hanging write cannot be interrupted, and ends
// with the process. Later messages are lost.
func (l *logger) Close() {
	for _, o := range l.outlets {
		close(o.stop)
	}
	late := time.After(closeWait)
	for _, o := range l.outlets {
		select {
		case <-o.done:
		case <-late:
			return
		}
	}
}

// maxMessage is the maximum length of a message in bytes.
const maxMessage = 4096

// A lineFormatter formats an entry as one line: time (unless the destination
// adds its own), level of warnings and errors, text, and fields in alphabetical
// order.
type lineFormatter struct{ stamp bool }

// Format implements logrus.Formatter. Clients supply parts of messages, so it
// replaces control characters: a client cannot forge log lines.
func (f lineFormatter) Format(e *logrus.Entry) ([]byte, error) {
	var b strings.Builder
	switch {
	case e.Level <= logrus.ErrorLevel:
		b.WriteString("error: ")
	case e.Level == logrus.WarnLevel:
		b.WriteString("warning: ")
	}
	b.WriteString(e.Message)
	for _, key := range sortedKeys(e.Data) {
		value := fmt.Sprint(e.Data[key])
		if value == "" || strings.ContainsAny(value, " =\"") {
			value = strconv.Quote(value)
		}
		b.WriteString(" " + key + "=" + value)
	}
	line := printable(b.String())
	if f.stamp {
		line = e.Time.Format("2/1/2006 15:04:05") + " " + line
	}
	return []byte(line + "\n"), nil
}

func sortedKeys(data logrus.Fields) []string {
	keys := make([]string, 0, len(data))
	for key := range data {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// printable replaces characters that end the line or control a terminal, and
// cuts the text to maxMessage.
func printable(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "..."
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == '\u2028' || c == '\u2029' {
			return '?'
		}
		return c
	}, s)
}
