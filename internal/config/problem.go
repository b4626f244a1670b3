package config

import (
	"fmt"
	"slices"
)

// A Problem is one mistake in a file.
type Problem struct {
	File    string
	Line    int // counted from 1; 0 when it concerns the whole file
	Text    string
	Warning bool // nothing that the file asks for is missing
}

// String returns "file:line: text", with "warning: " before the text of a
// warning, as compilers print it.
func (p Problem) String() string {
	if p.Warning {
		return fmt.Sprintf("%s:%d: warning: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Errors reports whether one of the problems is more than a warning.
func Errors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// A report collects the problems of one file.
type report struct {
	file     string
	list     []Problem
	comments []int // lines with what looks like a comment behind the value
}

func (r *report) errorf(line int, format string, args ...any) {
	r.list = append(r.list, Problem{File: r.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (r *report) warnf(line int, format string, args ...any) {
	r.list = append(r.list, Problem{File: r.file, Line: line, Text: fmt.Sprintf(format, args...), Warning: true})
}

// commentHint is the remedy for a comment behind a value.
const commentHint = "a comment stands on a line of its own, what is behind the value is part of it"

// explainComments tells of comments behind values: with what else is wrong with the line, for
// which they are the reason.
func (r *report) explainComments() {
	for _, line := range r.comments {
		found := false
		for i := range r.list {
			if p := &r.list[i]; p.Line == line {
				p.Text += "; " + commentHint
				found = true
			}
		}
		if !found {
			r.warnf(line, "%s", commentHint)
		}
	}
}

// sorted returns the problems in line order; those of one line stay in the
// order in which they were found.
func (r *report) sorted() []Problem {
	r.explainComments()
	slices.SortStableFunc(r.list, func(a, b Problem) int { return a.Line - b.Line })
	return r.list
}
