package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/sys/unix"
)

// errClosedOutput says that nobody reads the output any more, which is no
// failure: the reader has what it wanted.
var errClosedOutput = errors.New("nobody reads the output")

// output is standard output, with a reader that may go away.
type output struct{ io.Writer }

func (o output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	switch {
	case errors.Is(err, unix.EPIPE):
		err = errClosedOutput
	case err != nil:
		err = fmt.Errorf("write the output: %w", err)
	}
	return n, err
}

// writeJSON writes v on one line.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printable returns s with escapes for what would move the cursor, break the
// line or do worse to a terminal: file names and texts from elsewhere may hold
// anything.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }) {
		return s
	}
	q := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// counted words a number with its unit, which is given in the plural, or empty when
// it has none.
func counted(n any, unit string) string {
	text := fmt.Sprint(n)
	if text == "1" {
		unit = singular(unit)
	}
	return strings.TrimSpace(text + " " + unit)
}

// inSeconds is d in seconds: the number nearest to its decimal digits, so that no
// others are printed.
func inSeconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e9 }

// singular is the unit of one.
func singular(unit string) string {
	noun, rest, _ := strings.Cut(unit, " ")
	if stem, ok := strings.CutSuffix(noun, "ies"); ok {
		noun = stem + "y"
	}
	return strings.TrimSpace(strings.TrimSuffix(noun, "s") + " " + rest)
}

// A table writes aligned columns. The first write error comes out of flush.
type table struct {
	w      *tabwriter.Writer
	indent string
}

// newTable begins a table on w, each line behind indent, with a head line.
func newTable(w io.Writer, indent string, head ...string) *table {
	t := &table{w: tabwriter.NewWriter(w, 0, 8, 2, ' ', 0), indent: indent}
	cells := make([]any, len(head))
	for i, h := range head {
		cells[i] = h
	}
	t.row(cells...)
	return t
}

// row adds a line. An empty cell becomes a dash, so that columns can be told
// apart by blanks.
func (t *table) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		if texts[i] = printable(fmt.Sprint(c)); texts[i] == "" {
			texts[i] = "-"
		}
	}
	fmt.Fprintf(t.w, "%s%s\n", t.indent, strings.Join(texts, "\t"))
}

func (t *table) flush() error { return t.w.Flush() }
