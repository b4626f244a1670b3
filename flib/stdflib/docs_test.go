package stdflib

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuideQuotesCode: the code in docs/new-function.md must be in the files that it
// names.
func TestGuideQuotesCode(t *testing.T) {
	const root = "../.."
	guide, err := os.ReadFile(filepath.Join(root, "docs/new-function.md"))
	if err != nil {
		t.Fatal(err)
	}
	named, code, quoted := regexp.MustCompile("In `([^`]*)`:"), "", 0
	for line := range strings.Lines(string(guide)) {
		if m := named.FindStringSubmatch(line); m != nil {
			b, err := os.ReadFile(filepath.Join(root, m[1]))
			if err != nil {
				t.Fatal(err)
			}
			code = string(b)
		}
		quote, ok := strings.CutPrefix(line, "    ")
		if !ok {
			continue
		}
		quoted++
		if !strings.Contains(code, strings.TrimSpace(quote)+"\n") {
			t.Errorf("the file does not have %q", line)
		}
	}
	if quoted < 20 {
		t.Errorf("only %d lines of code", quoted)
	}
}
