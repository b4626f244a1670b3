// Package zone makes the environment variable TZ mean in a Go program what it means
// in others. The standard library knows the names of zones alone: the rules of
// POSIX, "UTC+3" or "EST5EDT,M3.2.0,M11.1.0" (tzset(3)), it takes for UTC without a
// word, and so it does what names no zone at all.
package zone

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Use makes time.Local the zone that TZ says. When that is none, the error says so,
// and local time is UTC. It is for programs, before they begin to look at the clock;
// a library leaves the time of its program alone.
func Use() error {
	loc, err := parse(os.Getenv("TZ"))
	if loc != nil {
		time.Local = loc
	}
	return err
}

// parse returns the zone of a value of TZ, nil where the standard library finds the
// right one by itself.
func parse(tz string) (*time.Location, error) {
	name := strings.TrimPrefix(tz, ":")
	if name == "" || isFile(name) {
		return nil, nil
	}
	if loc := ofRule(name); loc != nil {
		return loc, nil
	}
	return time.UTC, fmt.Errorf("TZ=%.80q is no time zone, times are in UTC: want a name that is in /usr/share/zoneinfo, "+
		`such as "Europe/Athens", or a rule as in tzset(3), such as "EET-2"`, tz)
}

// isFile reports whether a zone is described in a file.
func isFile(name string) bool {
	if filepath.IsAbs(name) {
		data, err := os.ReadFile(name)
		if err == nil {
			_, err = time.LoadLocationFromTZData(name, data)
		}
		return err == nil
	}
	const local = "Local" // is what is sought
	_, err := time.LoadLocation(name)
	return err == nil && name != local
}

// rule is how a zone begins that has a rule: with a name and an offset. The standard
// library, which reads the rest, takes other names, too.
var rule = regexp.MustCompile(`^([A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?[0-9]`)

// ofRule returns the zone of a POSIX rule, nil when it is none. The standard library
// applies such a rule where it ends a description of a zone in a file.
func ofRule(text string) *time.Location {
	if !rule.MatchString(text) {
		return nil
	}
	loc, err := time.LoadLocationFromTZData("Local", file(text))
	if err != nil {
		return nil
	}
	// A rule that cannot be read leaves the zone of the file, which has no name.
	if name, _ := time.Unix(0, 0).In(loc).Zone(); name == "" {
		return nil
	}
	return loc
}

// file makes the description of a zone without transitions, RFC 8536 version 2: a
// block without anything for readers of version 1, one with a zone of no name at UTC,
// and the rule that holds since the last of no transitions.
func file(rule string) []byte {
	head := func(b []byte, types, names uint32) []byte {
		b = append(b, "TZif2"...)
		b = append(b, make([]byte, 15)...)
		for _, n := range []uint32{0, 0, 0, 0, types, names} {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	b := head(nil, 0, 0)
	b = head(b, 1, 1)
	b = append(b, 0, 0, 0, 0, 0, 0) // offset from UTC, daylight saving time, place of the name
	b = append(b, 0)                // names
	return append(b, "\n"+rule+"\n"...)
}
