package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// headerAPI describes the C headers in a folder: their constants, macros and
// declarations, without comments and line breaks.
func headerAPI(t *testing.T, dir string) (lines []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".h" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		for _, what := range declarations(string(text)) {
			lines = append(lines, name+": "+what)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

var (
	comment  = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	joined   = regexp.MustCompile(`\\\n`)
	space    = regexp.MustCompile(`\s+`)
	dataLess = regexp.MustCompile(`^#\s*(if|ifdef|ifndef|else|elif|endif|include|define \w+_H$)`)
)

// declarations splits a header at directives and at semicolons outside braces.
func declarations(text string) (all []string) {
	text = joined.ReplaceAllString(comment.ReplaceAllString(text, " "), " ")
	var open strings.Builder
	depth := 0
	end := func() {
		if d := strings.TrimSpace(space.ReplaceAllString(open.String(), " ")); d != "" && d != "}" {
			all = append(all, d)
		}
		open.Reset()
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			if line = space.ReplaceAllString(line, " "); !dataLess.MatchString(line) {
				all = append(all, line)
			}
			continue
		}
		if line == `extern "C" {` || line == "}" && depth == 0 {
			continue
		}
		for _, c := range line + " " {
			switch c {
			case '{':
				depth++
			case '}':
				depth--
			}
			if open.WriteRune(c); c == ';' && depth == 0 {
				end()
			}
		}
	}
	end()
	return all
}

func TestDeclarations(t *testing.T) {
	const text = "#ifndef X_H\n#define X_H\n#include <a.h>\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n" +
		"/* a\n; b */\n#define  N 5 /* five */\n#define M(a, \\\n\tb) f(a)\n" +
		"struct s {\n\tint a; // first\n\tchar b[N];\n};\nint f(int a,\n      char b);\nenum e { A = 1, B };\n" +
		"#ifdef __cplusplus\n}\n#endif\n#endif\n"
	want := []string{"#define N 5", "#define M(a, b) f(a)", "struct s { int a; char b[N]; };", "int f(int a, char b);", "enum e { A = 1, B };"}
	if got := declarations(text); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
