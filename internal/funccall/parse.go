package funccall

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Parse reads a list of calls, at least one. References are errors. An error names the
// place as a byte of the text, from 1, and the remedy.
func Parse(text string) ([]Call, error) { return (&parser{text: text}).list() }

// ParseRefs is Parse with references.
func ParseRefs(text string) ([]Call, error) { return (&parser{text: text, refs: true}).list() }

// A parser is a recursive descent through the text.
type parser struct {
	text string
	at   int
	refs bool
}

const blank = " \t\r\n"

// list parses the calls up to the end of the text.
func (p *parser) list() (calls []Call, err error) {
	p.skip()
	for {
		c, err := p.call()
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
		end := p.at
		p.skip()
		comma := p.take(',')
		p.skip()
		switch {
		case p.at == len(p.text) && !comma:
			return calls, nil
		case p.at == end:
			return nil, p.fail(end, "separate functions with a comma or a blank")
		}
	}
}

// names are function names as package funcname splits them.
var names = regexp.MustCompile(`^(\w[\w.-]*:)?[A-Za-z_]\w*(![0-9.]+)?$`)

// call parses a call. Its parentheses follow the name at once, so that a blank ends a name.
func (p *parser) call() (Call, error) {
	start := p.at
	c := Call{Pos: start + 1, Name: p.word()}
	switch {
	case c.Name == "" && p.next() == '(':
		return c, p.fail(start, "the name of a function must stand before the parenthesis, without a blank between them")
	case c.Name == "" && (p.next() == ',' || p.next() == 0):
		return c, p.fail(start, "a function is missing: write NAME or NAME(ARGUMENT, ...)")
	case !names.MatchString(c.Name):
		return c, p.fail(start, "%.20q is not the name of a function: write [LIBRARY:]NAME or [LIBRARY:]NAME(ARGUMENT, ...)", p.text[start:])
	case !p.take('('):
		return c, nil
	}
	if p.skip(); p.take(')') {
		return c, nil
	}
	err := p.args(&c)
	return c, err
}

// args parses the arguments of c up to the closing parenthesis.
func (p *parser) args(c *Call) error {
	for {
		a, err := p.arg()
		if err != nil {
			return err
		}
		c.Args = append(c.Args, a)
		p.skip()
		switch {
		case p.take(')'):
			return nil
		case p.at == len(p.text):
			return p.fail(p.at, `the call of %.40s does not end: write ")" behind its last argument`, c.Name)
		case !p.take(','):
			return p.fail(p.at, "separate arguments with commas")
		}
		p.skip()
	}
}

// arg parses an argument.
func (p *parser) arg() (a Arg, err error) {
	start := p.at
	a.Pos = start + 1
	if p.next() == '"' {
		a.Value, err = p.quoted()
		return a, err
	}
	word := p.word()
	if word == "" {
		return a, p.fail(start, `an argument is missing: write a number, a constant or a text in double quotes, or ")"`)
	}
	if ref, ok := strings.CutPrefix(word, "@"); ok {
		a.Value, err = p.ref(start, ref)
		return a, err
	}
	if n, ok := Number(word); ok {
		a.Value = n
		return a, nil
	}
	if _, err := time.ParseDuration(word); err != nil {
		return a, p.fail(start, "%.40q is not a number, a time or a constant: put a text in double quotes", word)
	}
	a.Value = word
	return a, nil
}

// ref parses the number of a reference that begins at start.
func (p *parser) ref(start int, digits string) (Ref, error) {
	if !p.refs {
		return 0, p.fail(start, "a reference to another function is not possible here: put a text that begins with @ in double quotes")
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n == 0 {
		return 0, p.fail(start, "%.40q is not a reference: use @1 for the first function", "@"+digits)
	}
	return Ref(n), nil
}

// quoted parses a text in double quotes.
func (p *parser) quoted() (string, error) {
	var b strings.Builder
	start := p.at
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return b.String(), nil
		case c == 0:
			return "", p.fail(p.at, "a text has no NUL: STR_SEARCH takes it as |00|")
		case c == '\\' && p.at+1 < len(p.text) && strings.IndexByte(`"\`, p.text[p.at+1]) >= 0:
			p.at++
		}
		b.WriteByte(p.text[p.at])
	}
	return "", p.fail(start, `the text does not end: write " behind it, and \" for a " in it`)
}

// word takes the bytes up to the next delimiter.
func (p *parser) word() string {
	w := p.text[p.at:]
	if i := strings.IndexAny(w, blank+`,()"`); i >= 0 {
		w = w[:i]
	}
	p.at += len(w)
	return w
}

// next is the next byte, 0 at the end.
func (p *parser) next() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// take takes the next byte if it is c.
func (p *parser) take(c byte) bool {
	if p.at == len(p.text) || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

// skip takes blanks.
func (p *parser) skip() { p.at = len(p.text) - len(strings.TrimLeft(p.text[p.at:], blank)) }

// fail is the error at a byte of the text, counted from 0.
func (p *parser) fail(at int, format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", at+1, fmt.Sprintf(format, args...))
}
