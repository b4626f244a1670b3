package config

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A builder converts sections to a Config and reports their problems.
type builder struct {
	*report
	known   Known
	cfg     *Config
	names   map[deviceKey]int // lines of device names and aliases
	singles map[string]int    // lines of sections by name, except [driver] and [format]
}

// A deviceKey is a name that clients can use. Each group has its own daemon, so
// two groups may share a device.
type deviceKey struct {
	group int
	name  string
}

func (b *builder) build(sections []Section) {
	b.names = make(map[deviceKey]int)
	b.singles = make(map[string]int)
	b.markBroken(sections)
	b.global(&sections[0])
	for i := range sections[1:] {
		s := &sections[i+1]
		kind, name, access := accessKind(s.Name)
		switch {
		case s.Name == "": // its header is reported already
		case s.Name == "driver":
			b.device(s)
		case s.Name == "format":
			b.format(s)
		case s.Name == "limits":
			b.limits(s)
		case access:
			b.access(s, kind, name)
		case slices.Contains(b.known.Libraries, s.Name):
			b.library(s)
		case extraSection(s.Name), slices.Contains(knownLibraries, s.Name):
			b.extra(s)
		default:
			b.warnf(s.Line, "unknown section [%s]: it is ignored", s.Name)
		}
	}
	b.checkAccess()
}

func (b *builder) global(s *Section) {
	b.unknownKeys(s, globalKeys)
	b.cfg.Libs = b.libraries(s)
	for _, k := range s.Keys {
		switch k.Name {
		case "dimapi_port":
			b.cfg.DimapiPort = b.orDefault(k, 1, 65535, DefaultDimapiPort)
		case "log_level":
			b.cfg.LogLevel = b.orDefault(k, 0, 2, DefaultLogLevel)
		case "syslog_level":
			if s.Get("log_level") != "" {
				b.warnf(k.Line, "syslog_level is ignored: log_level is set")
				continue
			}
			b.cfg.LogLevel = b.orDefault(k, 0, 2, DefaultLogLevel)
		case "logfile":
			b.cfg.LogFile = b.known.path(k.Value)
			b.logFolder(k)
		case "local":
			b.cfg.Local = b.orDefault(k, 0, 1, 0) == 1
		case "trusted_peers":
			b.trustedPeers(k)
		}
	}
}

// logFolder reports a log file in a missing directory, because its messages
// would be lost.
func (b *builder) logFolder(k Key) {
	folder := filepath.Dir(b.cfg.LogFile)
	st, err := os.Stat(folder)
	switch {
	case err != nil:
		b.errorf(k.Line, "logfile=%s cannot be written: %v", k.Value, err)
	case !st.IsDir():
		b.errorf(k.Line, "logfile=%s cannot be written: %s is not a directory", k.Value, folder)
	}
}

// libraries returns the libraries of the key libs that this build has, or all of
// this build if the key is absent.
func (b *builder) libraries(s *Section) []string {
	list := []string{}
	for _, k := range s.Keys {
		if k.Name != "libs" {
			continue
		}
		for _, item := range strings.Split(k.Value, ":") {
			lib := plainName(strings.TrimSpace(item))
			switch {
			case lib == "":
			case slices.Contains(list, lib):
				b.warnf(k.Line, "library %s is listed twice", lib)
			case slices.Contains(b.known.Libraries, lib):
				list = append(list, lib)
			case slices.Contains(knownLibraries, lib):
				b.warnf(k.Line, "library %s is not part of this build: its functions are missing", lib)
			default:
				b.errorf(k.Line, "unknown library %s, known are %s", quote(lib), strings.Join(knownLibraries, ", "))
			}
		}
		return list
	}
	if len(b.known.Libraries) > 0 {
		return slices.Clone(b.known.Libraries)
	}
	return Default().Libs
}

// library checks the section of a library. A key with an error is left out.
func (b *builder) library(s *Section) {
	if !b.first(s) {
		return
	}
	if !slices.Contains(b.cfg.Libs, s.Name) {
		b.warnf(s.Line, "section [%s] has no effect: libs does not list the library", s.Name)
	}
	keys, section := b.known.LibraryKeys[s.Name], *s
	section.Keys = nil
	for _, k := range s.Keys {
		check, ok := keys[k.Name]
		if !ok {
			b.errorf(k.Line, "unknown key %s in [%s]%s", k.Name, s.Name, haveKeys(keys))
		} else if err := check(k.Value); err != nil {
			b.errorf(k.Line, "%s=%s in [%s]: %v", k.Name, k.Value, s.Name, err)
		} else {
			section.Keys = append(section.Keys, k)
			continue
		}
		section.Bad = true
	}
	b.cfg.Extra = append(b.cfg.Extra, section)
}

// haveKeys lists the keys of a library, for people.
func haveKeys(keys map[string]func(string) error) string {
	if len(keys) == 0 {
		return ": the library has no settings"
	}
	return ": known are " + strings.Join(slices.Sorted(maps.Keys(keys)), ", ")
}

func (b *builder) extra(s *Section) {
	if !b.first(s) {
		return
	}
	if !b.known.Sections[s.Name] {
		b.warnf(s.Line, "section [%s] has no effect: this build lacks the part that reads it; remove it, "+
			"or use a build that has the part", s.Name)
	}
	b.cfg.Extra = append(b.cfg.Extra, *s)
}

// first reports whether a section that may occur once has not occurred before.
func (b *builder) first(s *Section) bool {
	if first, ok := b.singles[s.Name]; ok {
		b.errorf(s.Line, "section [%s] already occurs in line %d: this one is ignored", s.Name, first)
		return false
	}
	b.singles[s.Name] = s.Line
	return true
}

// unknownKeys warns of the keys of a section that are not in the list.
func (b *builder) unknownKeys(s *Section, list []string) {
	for _, k := range s.Keys {
		if !slices.Contains(list, k.Name) {
			b.unknownKey(s.Name, k)
		}
	}
}

func (b *builder) unknownKey(section string, k Key) {
	switch {
	case section == "":
		b.warnf(k.Line, "unknown key %s: it is ignored", k.Name)
	case slices.Contains(globalKeys, k.Name):
		b.warnf(k.Line, "%s has no effect in [%s]: it belongs before the first section", k.Name, section)
	default:
		b.warnf(k.Line, "unknown key %s in [%s]: it is ignored", k.Name, section)
	}
}

// orDefault reads a number. Invalid values mean the default.
func (b *builder) orDefault(k Key, lo, hi, def int) int {
	if n, ok := number(k.Value, lo, hi); ok {
		return n
	}
	b.warnf(k.Line, "%s=%s is not a number in %d..%d: %d is used", k.Name, k.Value, lo, hi, def)
	return def
}

// number parses a decimal number within a range.
func number(s string, lo, hi int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= lo && n <= hi
}
