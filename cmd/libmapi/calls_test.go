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

// judged runs a test program, which must succeed without output.
func judged(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %v\n%s", cmd, err, out)
	}
}

// capture copies a capture and returns its path, packets and bytes. The numbers come
// from other tools.
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

// TestErrorNumbers compares the header with the error numbers of package mapierr.
func TestErrorNumbers(t *testing.T) {
	text, err := os.ReadFile("include/mapi_errors.h")
	if err != nil {
		t.Fatal(err)
	}
	defines := regexp.MustCompile(`(?m)^#define (\w+) (\d+) /\* (.*) \*/$`).FindAllStringSubmatch(string(text), -1)
	if len(defines) != 80 {
		t.Errorf("the header has %d numbers", len(defines))
	}
	for _, d := range defines {
		n, _ := strconv.Atoi(d[2])
		if !mapierr.Code(n).Known() {
			t.Errorf("%s: unknown number", d[0])
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

// TestSanitizers runs the programs with every memory access checked.
func TestSanitizers(t *testing.T) {
	path, _, _ := capture(t, "mapi-www.pcap")
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		flags := append([]string{"-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"}, strict...)
		judged(t, d.command(compile(t, source(t, "errors.c"), flags...), "lo", path))
		judged(t, d.command(compile(t, source(t, "calls.c"), flags...), callsArgs(t)...))
	})
}

// TestLister gets information about a flow of another program.
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

// TestValgrind runs the programs and the C part under valgrind. It ignores reports about
// the Go runtime, which has its own stacks and memory. Memory that Go has written can look
// undefined if a goroutine was preempted at that time, as on a busy machine. So a report
// counts only if a second run has reports too.
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

// valgrind runs a program, which must succeed, and returns the reports of valgrind.
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

// findings returns the reports of valgrind whose stack contains the C part or the program
// but not the Go part.
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
