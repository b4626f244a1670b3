package arch

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the descriptions of the API")

// api maps each description file of a public interface to the function that creates
// it. A description has one line per item.
var api = map[string]func(t *testing.T) []string{
	"mapi.txt":     func(t *testing.T) []string { return goAPI(t, "gomapi/mapi") },
	"result.txt":   func(t *testing.T) []string { return goAPI(t, "gomapi/mapi/result") },
	"mapitest.txt": func(t *testing.T) []string { return goAPI(t, mapitest) },
	"wire.txt":     func(*testing.T) []string { return protoAPI() },
	"libmapi.txt":  func(t *testing.T) []string { return headerAPI(t, filepath.Join(root, "cmd/libmapi/include")) },
}

// TestAPI compares the API with its checked-in description, so that the diff of a commit
// shows every change of the API to its author and to users.
func TestAPI(t *testing.T) {
	for name, describe := range api {
		path := filepath.Join("testdata", "api", name)
		got := describe(t)
		if *update {
			if err := os.WriteFile(path, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if gone, added := missing(want, got), missing(got, want); len(gone)+len(added) > 0 {
			t.Errorf("the API differs from internal/arch/%s:\n%s%sIf this is intended, run \"make api\", commit the file, "+
				"and describe the change in docs/CHANGELOG.md.", path, marked("-", gone), marked("+", added))
		}
	}
}

// missing returns the lines of from that in does not contain.
func missing(from, in []string) []string {
	return slices.DeleteFunc(slices.Clone(from), func(line string) bool { return slices.Contains(in, line) })
}

func marked(mark string, lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("\t" + mark + l + "\n")
	}
	return b.String()
}
