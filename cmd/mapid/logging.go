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

// A logSetup says where messages go.
//
//	          syslog (-s)   <base>.info   <base>.debug   stderr             stdout
//	info      yes           yes                          without the two
//	debug     level 1, 2                  level 1, 2                        level 1
//
// Warnings and errors go where information goes. A private daemon writes
// nothing but those to stderr.
type logSetup struct {
	level          int         // log_level of mapi.conf
	base           string      // of the log files, absolute; empty for none
	syslog         *syslogSink // nil for none
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
		// The files of the configuration found belong to the system's daemon.
		l.level, l.base = 0, ""
	}
	if !o.daemon {
		l.stdout, l.stderr = stdout, stderr
	}
	return l
}

// Levels of logrus by what the original calls them.
var (
	infoLevels  = logrus.AllLevels[:logrus.InfoLevel+1]
	warnLevels  = logrus.AllLevels[:logrus.WarnLevel+1]
	debugLevels = []logrus.Level{logrus.DebugLevel, logrus.TraceLevel}
)

// A logger is a logrus logger over outlets of its own.
type logger struct {
	*logrus.Logger
	outlets    []*outlet
	terminal   bool       // errors are seen on stderr
	complaints sync.Mutex // one line at a time on stderr
	stderr     io.Writer  // for complaints; nil in the background
}

// newLogger starts a goroutine for each destination; Close ends them.
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

// add makes messages of the levels go to a sink, too. Where there is a terminal
// it shows the sink's first failure, which no log can tell.
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

// Close writes what is queued and waits for the goroutines of the outlets, but
// not longer than closeWait for all: a write that hangs cannot be interrupted
// and ends with the process. Messages after it are lost.
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

// maxMessage bounds a message in bytes.
const maxMessage = 4096

// A lineFormatter makes one line of an entry: time (unless the destination has
// its own), level of warnings and errors, text, fields in alphabetical order.
type lineFormatter struct{ stamp bool }

// Format implements logrus.Formatter. Parts of messages come from clients:
// control characters are replaced, so that nobody writes lines of his own.
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

// printable replaces what would end the line or command a terminal, and cuts
// the text to maxMessage.
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
