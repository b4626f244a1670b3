package engine

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/account"
	"gomapi/internal/filter"
)

// TestDocumentedLimits compares docs/limits.md with the code.
func TestDocumentedLimits(t *testing.T) {
	data, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	number := func(n int64) string { // 4096 as 4,096
		s := strconv.FormatInt(n, 10)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	}
	limits := account.Default(1<<40, 1<<20)
	for _, k := range account.Kinds() {
		want := "| `" + k.String() + "` | half | "
		if k != account.Memory && k != account.Descriptors {
			want = "| `" + k.String() + "` | " + number(limits[k].User) + " | " + number(limits[k].All) + " |"
		} else if limits[k].User != limits[k].All/2 {
			t.Errorf("a user does not get half of %v", k)
		}
		if !strings.Contains(text, want) {
			t.Errorf("docs/limits.md lacks %q", want)
		}
	}
	for _, want := range []string{
		fmt.Sprintf("filters that are compiled at a time, for all users | %d;", filter.MaxChildren),
		fmt.Sprintf("filters of a user that are compiled at a time | %d |", maxCompiling),
		fmt.Sprintf("built at a time, for all users; of a user | %d, one of them kept as for filters; %d |", maxBuilders, maxBuilding),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/limits.md lacks %q", want)
		}
	}
	for what, bytes := range map[string]int64{
		"connection": sessionMemory, "flow": flowMemory, "function": functionMemory, "capture file": offlineMemory, "derived device": derivedMemory,
		"byte of a text, such as a pattern": textMemory, "instruction of a filter": instructionMemory,
	} {
		if want := "| " + what + " | " + number(bytes) + " |"; !strings.Contains(text, want) {
			t.Errorf("docs/limits.md lacks %q", want)
		}
	}
}
