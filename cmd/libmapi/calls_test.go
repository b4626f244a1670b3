package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/mapierr"
	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// judged runs a test program, which must find nothing wrong.
func judged(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %v\n%s", cmd, err, out)
	}
}

// capture is a copy of one of the captures, with what other tools say of it.
func capture(t testing.TB, name string) (path, packets, bytes string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata.Dir(t), name))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range testdata.Expected(t) {
		switch [3]string{row.File, row.Kind, row.Key} {
		case [3]string{name, "total", "packets"}:
			packets = row.Value
		case [3]string{name, "total", "wire_bytes"}:
			bytes = row.Value
		}
	}
	return path, packets, bytes
}

func callsArgs(t testing.TB) []string {
	path, packets, bytes := capture(t, "nd-skype.pcap")
	return []string{"lo", path, packets, bytes, t.TempDir()}
}

// TestErrorNumbers compares the header with the numbers of the project.
func TestErrorNumbers(t *testing.T) {
	text, err := os.ReadFile("include/mapi_errors.h")
	if err != nil {
		t.Fatal(err)
	}
	defines := regexp.MustCompile(`(?m)^#define (\w+) (\d+) /\* (.*) \*/$`).FindAllStringSubmatch(string(text), -1)
	if len(defines) != 80 {
		t.Errorf("%d numbers", len(defines))
	}
	for _, d := range defines {
		n, _ := strconv.Atoi(d[2])
		if !mapierr.Code(n).Known() {
			t.Errorf("%s: no such number", d[0])
		}
	}
}

func TestErrors(t *testing.T) {
	path, _, _ := capture(t, "mapi-www.pcap")
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "errors.c"), strict...), "lo", path))
	})
}

func TestCalls(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "calls.c"), strict...), callsArgs(t)...))
	})
}

func TestFilesToWrite(t *testing.T) {
	path, _, _ := capture(t, "mapi-www.pcap")
	d := startDaemon(t)
	judged(t, d.command(compile(t, source(t, "tofile.c"), strict...), path, t.TempDir()))
}

// TestSanitizers runs the programs with every access to memory checked.
func TestSanitizers(t *testing.T) {
	path, _, _ := capture(t, "mapi-www.pcap")
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		flags := append([]string{"-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"}, strict...)
		judged(t, d.command(compile(t, source(t, "errors.c"), flags...), "lo", path))
		judged(t, d.command(compile(t, source(t, "calls.c"), flags...), callsArgs(t)...))
	})
}

// TestLister looks at the flow of another program.
func TestLister(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		c := &mapi.Client{Socket: d.socket}
		defer c.Close()
		f, err := c.CreateFlow(t.Context(), testnet.B)
		if err == nil {
			_, err = f.Apply(t.Context(), "PKT_COUNTER")
		}
		if err != nil {
			t.Fatal(err)
		}
		judged(t, d.command(compile(t, source(t, "lister.c"), strict...), testnet.B))
	})
}

// TestValgrind runs them with the C part itself under the eyes of valgrind. What it
// says of the Go runtime is left out: that has stacks and memory of its own. What Go has
// written can look undefined when a goroutine was interrupted meanwhile, as on a busy
// machine; what is so, is found again.
func TestValgrind(t *testing.T) {
	if _, err := exec.LookPath("valgrind"); err != nil {
		t.Skip("needs valgrind")
	}
	path, _, _ := capture(t, "mapi-www.pcap")
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		for _, args := range [][]string{
			{compile(t, source(t, "errors.c"), append([]string{"-g"}, strict...)...), "lo", path},
			append([]string{compile(t, source(t, "calls.c"), append([]string{"-g"}, strict...)...)}, callsArgs(t)...),
		} {
			found := valgrind(t, d, args)
			if len(found) > 0 {
				found = valgrind(t, d, args)
			}
			for _, finding := range found {
				t.Error(finding)
			}
		}
	})
}

// valgrind runs a program, which must do well, and returns what valgrind finds.
func valgrind(t *testing.T, d *daemon, args []string) []string {
	t.Helper()
	cmd := d.command("valgrind", append([]string{"--error-limit=no", "--leak-check=full", "--show-leak-kinds=definite"}, args...)...)
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), ": not ") {
		t.Errorf("%v\n%s", err, out)
	}
	return findings(string(out))
}

// findings are the reports of valgrind in which a stack goes through the C part or the
// program, and not through the Go part.
func findings(out string) (ours []string) {
	prefix := regexp.MustCompile(`(?m)^==\d+== ?`)
	for _, report := range strings.Split(prefix.ReplaceAllString(out, ""), "\n\n") {
		if !strings.Contains(report, "   at 0x") || strings.Contains(report, "libmapi-go.so") {
			continue
		}
		if strings.Contains(report, "libmapi.so") || strings.Contains(report, "program.c") ||
			strings.Contains(report, "/lib/") {
			ours = append(ours, report)
		}
	}
	return ours
}
