package arch

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAnotherModulePath changes the module path of a copy of the module twice. No file
// may keep an old path.
func TestAnotherModulePath(t *testing.T) {
	dir := t.TempDir()
	copyModule(t, dir)
	old := strings.TrimSpace(run(t, root, "go", "list", "-m"))
	for _, path := range []string{"example.org/net/mapi", "host.example/other"} {
		run(t, dir, "make", "-s", "module", "MODULE="+path)
		if got := strings.TrimSpace(run(t, dir, "go", "list", "-m")); got != path {
			t.Fatalf("the module is %q, want %q", got, path)
		}
		uses := regexp.MustCompile(`(^|[^\w./-])` + regexp.QuoteMeta(old) + `(/|@|"| v\d| =>|=/)`)
		for _, file := range filesOf(t, dir) {
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if at := uses.FindIndex(b); at != nil && file != "etc/module" {
				t.Errorf("%s, line %d, still has the path %s", file, 1+bytes.Count(b[:at[1]], []byte("\n")), old)
			}
		}
		if out := run(t, dir, "gofmt", "-l", "."); out != "" {
			t.Errorf("not formatted: %s", out)
		}
		old = path
	}
	run(t, dir, "go", "vet", "./mapi", "./internal/wire", "./internal/arch")
	if doc := run(t, dir, "go", "doc", "./mapi"); !strings.Contains(doc, "-replace="+old+"=/") {
		t.Errorf("the documentation does not say how to use %s:\n%s", old, doc)
	}
	for _, path := range []string{"", "plain", "example.org", "host.example/a b", "host.example/#"} {
		cmd := exec.Command("make", "-s", "module", "MODULE="+path)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "no import path") {
			t.Errorf("MODULE=%s: %v, %s", path, err, out)
		}
	}
}

// filesOf lists the files below dir.
func filesOf(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			file, _ := filepath.Rel(dir, path)
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// copyModule copies the source files of the module.
func copyModule(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum", "Makefile", "README.md", "cmd", "docs", "drivers", "etc", "examples", "flib", "internal", "mapi"} {
		run(t, root, "cp", "-r", name, dir)
	}
}

func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}
