package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzLoad checks for any text that Load does not panic, respects its limits,
// reports problems in line order, and that the INI reader finds the same values
// as a cut at "=".
func FuzzLoad(f *testing.F) {
	f.Add([]byte(tutorial))
	files, _ := filepath.Glob("testdata/*.conf")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("[DEFAULT]\na.b=`\n[a]\n-=1\n[a.b]\nc=\"\"\"x\n\"=\n"))
	f.Add([]byte("[user ann]\ndevices=*,!eth0,,\nfunctions=\n[group x]\nforce=F\nmemory=1M\nstray\n[client a b]\nidentity=c\nbuffers=0\n[user *]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, problems, err := parse("mapi.conf", text, build)
		if err != nil {
			t.Fatalf("rejected as a whole: %v", err)
		}
		if len(problems) > 4*maxEntries || len(cfg.Devices) > maxEntries || len(cfg.Extra) > maxEntries {
			t.Fatalf("%d problems, %d devices, %d sections", len(problems), len(cfg.Devices), len(cfg.Extra))
		}
		if !slices.IsSortedFunc(problems, func(a, b Problem) int { return a.Line - b.Line }) {
			t.Fatal("problems are not in line order")
		}
		for _, p := range problems {
			if strings.ContainsAny(p.String(), "\n\x00\x1b") || len(p.Text) > 2*maxLine+200 {
				t.Fatalf("problem is not fit for a log: %q", p)
			}
		}
		sameValues(t, text)
	})
}

func sameValues(t *testing.T, text []byte) {
	idx := indexLines(text, &report{})
	sections, err := readValues(idx)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n")
	for _, s := range sections {
		for _, k := range s.Keys {
			line := strings.ToValidUTF8(strings.TrimSpace(lines[k.Line-1]), "\ufffd")
			name, value, _ := strings.Cut(line, "=")
			if k.Name != strings.TrimSpace(name) || k.Value != strings.TrimSpace(value) {
				t.Fatalf("line %d %q was read as %q=%q", k.Line, line, k.Name, k.Value)
			}
		}
	}
}
