package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden loads testdata/*.conf and compares the problems with *.golden.
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.conf")
	if len(files) == 0 {
		t.Fatal("no files in testdata")
	}
	for _, file := range files {
		_, problems, err := Load(file, build)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, p := range problems {
			got.WriteString(p.String() + "\n")
		}
		golden := strings.TrimSuffix(file, ".conf") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// TestBadLines has lines that an editor cannot show.
func TestBadLines(t *testing.T) {
	long := strings.Repeat("x", 1024)
	for _, c := range []struct{ name, text, want string }{
		{"NUL", "libs=std\x00flib", "control character 0x00"},
		{"escape", "logfile=\x1b[31m", "control character 0x1b"},
		{"long line", "logfile=" + long, "line of 1032 bytes exceeds the limit of 1023"},
		{"long rubbish", long[:900], `"` + long[:40] + `..."`},
		{"latin-1", "logfile=caf\xe9", "text is not UTF-8"},
		{"UTF-16", "\xff\xfel\x00i\x00b\x00", "control character 0x00"},
	} {
		cfg, problems := load(t, c.text)
		if len(problems) != 1 || !strings.Contains(problems[0].Text, c.want) {
			t.Errorf("%s: %v, want %q", c.name, problems, c.want)
		}
		if c.name == "latin-1" && cfg.LogFile != "caf\ufffd" {
			t.Errorf("%s: logfile %q", c.name, cfg.LogFile)
		}
	}
}

func TestBounds(t *testing.T) {
	cfg, problems := load(t, strings.Repeat("[driver]\n", maxEntries-4)+
		"[driver]\ndevice=eth0\ndriver=mapinicdrv\ndescription=x\nalias=y\nfoo=bar\n")
	last := problems[len(problems)-1]
	if len(cfg.Devices) != 1 || cfg.Devices[0].Alias != "No alias" || last.Line != maxEntries+1 ||
		!strings.Contains(last.Text, "more than 4096 entries") {
		t.Errorf("%d devices, last problem %v", len(cfg.Devices), last)
	}
	_, _, err := Load(write(t, strings.Repeat("#\n", maxFile/2)+"#"), build)
	if err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("large file: %v", err)
	}
	if _, problems = load(t, strings.Repeat("#\n", maxFile/2)); len(problems) != 0 {
		t.Errorf("file of the largest size: %v", problems)
	}
}

func TestErrors(t *testing.T) {
	if Errors([]Problem{{Warning: true}}) || !Errors([]Problem{{Warning: true}, {}}) {
		t.Error("a warning is no error")
	}
}
