package books

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestGlossaryIsDocumented compares the names with docs/accounting.md.
func TestGlossaryIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/accounting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(string(doc), "## Glossary\n")
	_, got, _ = strings.Cut(got, "|---|---|\n")
	var want strings.Builder
	for _, e := range Glossary() {
		fmt.Fprintf(&want, "| %s | %s |\n", e.Name, e.Meaning)
	}
	if got != want.String() {
		t.Errorf("the table in docs/accounting.md should be:\n%s", &want)
	}
}

func TestBalance(t *testing.T) {
	out := []Line{{Delivered, 7}, {LostRing, 2}, {NotWrittenError, 1}}
	for _, c := range []struct {
		in, moved uint64
		missing   int64
		balances  bool
	}{
		{10, 0, 0, true}, {11, 0, 1, false}, {9, 0, -1, false}, {11, 1, 1, true}, {9, 1, -1, true}, {12, 1, 2, false},
		{0, 9, -10, false}, {0, 10, -10, true},
	} {
		s := Stage{In: c.in, Out: out, Moved: c.moved}
		if s.Missing() != c.missing || s.Balances() != c.balances {
			t.Errorf("in %d, out 10, moved %d: missing %d, balances %v", c.in, c.moved, s.Missing(), s.Balances())
		}
		if s.Lost() != 3 {
			t.Errorf("lost %d, want 3", s.Lost())
		}
	}
}
