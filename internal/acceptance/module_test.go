package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const outsider = `package main

import (
	"fmt"
	"os"

	"gomapi/mapi"
)

func main() {
	fd, err := mapi.CreateFlow(os.Args[1])
	fmt.Println(fd, err)
}
`

// TestModuleOutside builds a third-party program that imports the mapi package
// by a replace line, without a C compiler.
func TestModuleOutside(t *testing.T) {
	root := strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}", "gomapi"))
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", outsider)
	write("go.mod", "module outsider\n\ngo 1.26\n\nrequire gomapi v0.0.0\n\nreplace gomapi => "+root+"\n")
	program := filepath.Join(dir, "outsider")
	for _, args := range [][]string{{"mod", "tidy"}, {"build", "-o", program, "."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	cmd := exec.Command(program, "HOW CARES")
	cmd.Env = append(os.Environ(), "MAPI_SOCKET="+start(t).socket)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "error 3200") {
		t.Errorf("the program says %q, %v, want error 3200", out, err)
	}
}
