package config

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a file. The original reads lines of 1023 bytes and keys of 63.
const (
	maxLine    = 1023 // bytes, without the line break
	maxKey     = 63   // bytes
	maxEntries = 4096 // lines that are neither empty nor comments
)

// An index has the lines of the sections and keys of a file. The INI reader
// keeps no line numbers, stops at the first mistake and has rules that
// mapi.conf lacks (quotes over several lines, automatic keys). It therefore
// gets only the lines that were checked here, so both see the same sections and
// keys.
type index struct {
	sections []Section    // the first one holds the global keys; values are empty
	clean    bytes.Buffer // input of the INI reader
	report   *report
}

// indexLines checks text line by line.
func indexLines(text []byte, r *report) *index {
	idx := &index{sections: make([]Section, 1), report: r}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	entries := 0
	for n := 1; len(text) > 0; n++ {
		var raw []byte
		raw, text, _ = bytes.Cut(text, []byte("\n"))
		line := bytes.TrimSpace(raw)
		if len(line) == 0 || line[0] == '#' || line[0] == ';' {
			continue
		}
		if entries++; entries > maxEntries {
			r.errorf(n, "more than %d entries: the rest of the file is not read", maxEntries)
			break
		}
		if s, ok := idx.text(n, line); ok {
			idx.add(n, s)
		}
	}
	return idx
}

// text returns a line as valid UTF-8, because messages to clients need it. It
// returns false for a line that is not allowed.
func (idx *index) text(n int, line []byte) (string, bool) {
	if len(line) > maxLine {
		idx.report.errorf(n, "line of %d bytes exceeds the limit of %d: it is ignored", len(line), maxLine)
		return "", false
	}
	for _, c := range line {
		if c != '\t' && (c < ' ' || c == 0x7f) {
			idx.report.errorf(n, "control character %#02x: the line is ignored", c)
			return "", false
		}
	}
	if !utf8.Valid(line) {
		idx.report.warnf(n, "text is not UTF-8: unknown characters are replaced")
		return strings.ToValidUTF8(string(line), "\ufffd"), true
	}
	return string(line), true
}

func (idx *index) add(n int, line string) {
	if line[0] == '[' {
		idx.header(n, line)
		return
	}
	name, value, ok := strings.Cut(line, "=")
	if !ok {
		idx.report.errorf(n, "%s is neither a comment, nor a [section], nor key=value: it is ignored", quote(line))
		return
	}
	idx.key(n, strings.TrimSpace(name), strings.TrimSpace(value))
}

// header opens a section. After an invalid header, keys go to a section without
// a name, so that they do not change the section before it.
func (idx *index) header(n int, line string) {
	name := ""
	switch inner, closed := strings.CutSuffix(line[1:], "]"); {
	case !closed:
		idx.report.errorf(n, "section header %s does not end with ]: its keys are ignored", quote(line))
	case strings.TrimSpace(inner) == "" || strings.ContainsAny(inner, "[]"):
		idx.report.errorf(n, "section header %s has no valid name: its keys are ignored", quote(line))
	default:
		name = strings.TrimSpace(inner)
	}
	idx.sections = append(idx.sections, Section{Name: name, Line: n})
	if name == "" {
		name = "?"
	}
	idx.clean.WriteString("[" + name + "]\n")
}

func (idx *index) key(n int, name, value string) {
	sec := &idx.sections[len(idx.sections)-1]
	if !validKey(name) {
		idx.report.errorf(n, "%s is not a valid key: the line is ignored", quote(name))
		return
	}
	for _, k := range sec.Keys {
		if k.Name == name {
			idx.report.errorf(n, "%s is already set in line %d: this line is ignored", name, k.Line)
			return
		}
	}
	if strings.HasPrefix(value, "`") || strings.HasPrefix(value, `"""`) {
		idx.report.errorf(n, "value of %s begins with %q: values are written without quotes, the line is ignored", name, value[:1])
		return
	}
	if commented(value) && name != "description" {
		idx.report.comments = append(idx.report.comments, n)
	}
	sec.Keys = append(sec.Keys, Key{Name: name, Line: n})
	idx.clean.WriteString(name + " = " + value + "\n")
}

// commented reports whether a value seems to include a comment. Descriptions
// may look like that.
func commented(value string) bool {
	for _, mark := range []string{" #", "\t#", " ;", "\t;"} {
		if strings.Contains(value, mark) {
			return true
		}
	}
	return false
}

// validKey reports whether name consists of letters, digits, "_", "-" and "."
// and begins with a letter.
func validKey(name string) bool {
	if name == "" || len(name) > maxKey {
		return false
	}
	for i, c := range name {
		switch {
		case c < unicode.MaxASCII && unicode.IsLetter(c):
		case i > 0 && (c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return true
}

// quote quotes text from the file for a message and shortens it.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return `"` + s + `"`
}
