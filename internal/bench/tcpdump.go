package main

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

// patience is how long tcpdump may take for an answer.
const patience = 10 * time.Second

// ask has tcpdump say what it has counted (SIGUSR1, tcpdump(8)).
func (d *dumping) ask() error {
	if err := d.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return fmt.Errorf("ask tcpdump: %w", err)
	}
	return d.await("captured")
}

// await reads what tcpdump says up to a line with this text, and takes the
// counters out of it.
func (d *dumping) await(text string) error {
	if err := d.said.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		line, err := d.line()
		if err != nil {
			return fmt.Errorf("wait for %q of tcpdump: %w; it said %q", text, err, line)
		}
		if strings.Contains(line, text) {
			return d.parse(line)
		}
	}
}

// line reads a line, byte by byte: there are few.
func (d *dumping) line() (string, error) {
	var b [1]byte
	var line []byte
	for {
		if _, err := d.said.Read(b[:]); err != nil {
			return string(line), err
		}
		if b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[0])
	}
}

// parse takes the counters out of "tcpdump: 5 packets captured, 5 packets
// received by filter, 0 packets dropped by kernel".
func (d *dumping) parse(line string) error {
	line = strings.TrimPrefix(line, "tcpdump: ")
	for part := range strings.SplitSeq(line, ", ") {
		var n uint64
		switch {
		case strings.HasSuffix(part, " captured"):
			if _, err := fmt.Sscan(part, &n); err != nil {
				return fmt.Errorf("tcpdump says %q: %w", line, err)
			}
			d.captured = n
		case strings.HasSuffix(part, " dropped by kernel"):
			if _, err := fmt.Sscan(part, &n); err != nil {
				return fmt.Errorf("tcpdump says %q: %w", line, err)
			}
			d.lost = n
		}
	}
	return nil
}
