// Package zone gives the environment variable TZ the same meaning in a Go
// program as in others. The standard library knows zone names only. It silently
// treats POSIX rules, such as "UTC+3" or "EST5EDT,M3.2.0,M11.1.0" (tzset(3)),
// and invalid values as UTC.
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

// Use sets time.Local to the zone in TZ. If TZ is invalid, it returns an error,
// and local time is UTC. A program calls it before it first uses local time; a
// library must not call it, because time.Local belongs to the program.
func Use() error {
	loc, err := parse(os.Getenv("TZ"))
	if loc != nil {
		time.Local = loc
	}
	return err
}

// parse returns the zone for a value of TZ, nil if the standard library already
// uses the right one.
func parse(tz string) (*time.Location, error) {
	name := strings.TrimPrefix(tz, ":")
	if name == "" || isFile(name) {
		return nil, nil
	}
	if loc := ofRule(name); loc != nil {
		return loc, nil
	}
	return time.UTC, fmt.Errorf("TZ=%.80q is not a time zone, times are in UTC: use a name in /usr/share/zoneinfo, "+
		`such as "Europe/Athens", or a rule as in tzset(3), such as "EET-2"`, tz)
}

// isFile reports whether a file describes the zone.
func isFile(name string) bool {
	if filepath.IsAbs(name) {
		data, err := os.ReadFile(name)
		if err == nil {
			_, err = time.LoadLocationFromTZData(name, data)
		}
		return err == nil
	}
	const local = "Local" // LoadLocation accepts it, but no file has it
	_, err := time.LoadLocation(name)
	return err == nil && name != local
}

// rule matches the start of a zone rule: a name and an offset. The standard
// library, which parses the rest, accepts other names too.
var rule = regexp.MustCompile(`^([A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?[0-9]`)

// ofRule returns the zone of a POSIX rule, nil if text is not a rule. The
// standard library applies such a rule at the end of a zone file.
func ofRule(text string) *time.Location {
	if !rule.MatchString(text) {
		return nil
	}
	loc, err := time.LoadLocationFromTZData("Local", file(text))
	if err != nil {
		return nil
	}
	// After an invalid rule, the zone is that of the file, which has no name.
	if name, _ := time.Unix(0, 0).In(loc).Zone(); name == "" {
		return nil
	}
	return loc
}

// file returns a zone file without transitions, RFC 8536 version 2: an empty
// block for readers of version 1, a block with one unnamed zone at UTC, and the
// rule, which applies after the last of the (zero) transitions.
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
	b = append(b, 0, 0, 0, 0, 0, 0) // offset from UTC, daylight saving time, index of the name
	b = append(b, 0)                // names
	return append(b, "\n"+rule+"\n"...)
}
