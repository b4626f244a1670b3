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

// errClosedOutput says that the reader of the output has gone. This is no
// failure: the reader has what it wanted.
var errClosedOutput = errors.New("the output has no reader")

// output is standard output, whose reader may go away.
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

// writeJSON writes v as one line.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printable escapes characters in s that move the cursor, break the line or
// otherwise disturb a terminal. File names and foreign texts may contain such
// characters.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }) {
		return s
	}
	q := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// counted formats a number with its unit. The unit is given in the plural; it
// is empty for a number without unit.
func counted(n any, unit string) string {
	text := fmt.Sprint(n)
	if text == "1" {
		unit = singular(unit)
	}
	return strings.TrimSpace(text + " " + unit)
}

// inSeconds converts d to the float that is nearest to its decimal value, so
// that no further digits are printed.
func inSeconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e9 }

// singular is the singular of a unit.
func singular(unit string) string {
	noun, rest, _ := strings.Cut(unit, " ")
	if stem, ok := strings.CutSuffix(noun, "ies"); ok {
		noun = stem + "y"
	}
	return strings.TrimSpace(strings.TrimSuffix(noun, "s") + " " + rest)
}

// A table writes aligned columns. flush returns the first write error.
type table struct {
	w      *tabwriter.Writer
	indent string
}

// newTable starts a table on w with a heading. Each line is indented by indent.
func newTable(w io.Writer, indent string, head ...string) *table {
	t := &table{w: tabwriter.NewWriter(w, 0, 8, 2, ' ', 0), indent: indent}
	cells := make([]any, len(head))
	for i, h := range head {
		cells[i] = h
	}
	t.row(cells...)
	return t
}

// row adds a line. It prints a dash for an empty cell so that blanks can
// separate columns.
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
