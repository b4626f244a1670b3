package foreign

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocumentedPlaces compares docs/limits.md with the code.
func TestDocumentedPlaces(t *testing.T) {
	text, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	for what, bounds := range map[string]string{
		"reads, and looks at files, that are under way: of a user, of all": fmt.Sprint(userReads, ", ", allReads),
		"writes that are under way: of a user, of all":                     fmt.Sprint(userWrites, ", ", allWrites),
		"descriptors of clients that are being closed: of a user, of all":  fmt.Sprint(userClosings, ", ", allClosings),
		"descriptors of a user that wait to be closed":                     fmt.Sprint(maxPending),
	} {
		if want := "| " + what + " | " + bounds; !strings.Contains(string(text), want) {
			t.Errorf("docs/limits.md lacks %q", want)
		}
	}
}
