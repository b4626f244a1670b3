package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the path of the module from this folder.
const root = "../.."

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unsaid  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// TestLinksOfDocs checks the links between pages, to files, and to headings.
func TestLinksOfDocs(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") || strings.HasPrefix(path, "mailto:") {
				continue
			}
			found++
			to := page
			if path != "" {
				to = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			} else if anchor != "" && !anchors(read(t, to))[anchor] {
				t.Errorf("%s links to %s: no heading of that name", page, m[1])
			}
		}
	}
	if found < 30 {
		t.Errorf("found only %d links", found)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// anchors returns the anchors of the headings of a page.
func anchors(text string) map[string]bool {
	names := make(map[string]bool)
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		names[strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return names
}

// TestAttacks looks for the tests that docs/security.md names, each row at least one.
func TestAttacks(t *testing.T) {
	_, table, _ := strings.Cut(read(t, filepath.Join(root, "docs/security.md")), "| Attack |")
	folder, name := regexp.MustCompile("`([a-z/]+)`"), regexp.MustCompile(`\bTest\w+`)
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !strings.Contains(cells[4], "`") {
			continue
		}
		rows++
		var tests string
		for _, part := range strings.SplitAfter(cells[4], ",") {
			if m := folder.FindStringSubmatch(part); m != nil {
				tests = testsOf(t, m[1])
			}
			if n := name.FindString(part); n == "" || !strings.Contains(tests, "func "+n+"(") {
				t.Errorf("%q: no test %q", strings.TrimSpace(cells[1]), strings.TrimSpace(part))
			}
		}
	}
	if rows < 12 {
		t.Errorf("found only %d attacks", rows)
	}
}

// testsOf returns the source of all tests of a package.
func testsOf(t *testing.T, folder string) (all string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		all += read(t, f)
	}
	return all
}
