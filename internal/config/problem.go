package config

import (
	"fmt"
	"slices"
)

// A Problem is one mistake in a file.
type Problem struct {
	File    string
	Line    int // counted from 1; 0 if it concerns the whole file
	Text    string
	Warning bool // no part of the configuration is lost
}

// String returns "file:line: text", with "warning: " before the text of a
// warning, like compilers.
func (p Problem) String() string {
	if p.Warning {
		return fmt.Sprintf("%s:%d: warning: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Errors reports whether one of the problems is not a warning.
func Errors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// A report collects the problems of one file.
type report struct {
	file     string
	list     []Problem
	comments []int // lines that seem to have a comment after the value
}

func (r *report) errorf(line int, format string, args ...any) {
	r.list = append(r.list, Problem{File: r.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (r *report) warnf(line int, format string, args ...any) {
	r.list = append(r.list, Problem{File: r.file, Line: line, Text: fmt.Sprintf(format, args...), Warning: true})
}

// commentHint is the remedy for a comment after a value.
const commentHint = "a comment needs a separate line, because text after the value is part of it"

// explainComments reports comments after values. If the line has other
// problems, it appends the hint to them, because the comment is the cause.
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

// sorted returns the problems in line order. Problems of one line keep the
// order in which they were found.
func (r *report) sorted() []Problem {
	r.explainComments()
	slices.SortStableFunc(r.list, func(a, b Problem) int { return a.Line - b.Line })
	return r.list
}
