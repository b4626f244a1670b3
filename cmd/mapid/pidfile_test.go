package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestPidFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mapid.pid")
	own := strconv.Itoa(os.Getpid()) + "\n"
	// A file that a dead process left, longer than the new contents.
	if err := os.WriteFile(path, []byte("1\n1234567890123\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	first := &pidFile{path: path}
	if err := first.claim(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != own {
		t.Errorf("content %q, want %q", text, own)
	}
	second := &pidFile{path: path}
	err := second.claim()
	if err == nil || !strings.Contains(err.Error(), "is locked by process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("claimed twice: %v", err)
	}
	second.remove()
	if text, _ := os.ReadFile(path); string(text) != own {
		t.Errorf("the file of a living process was touched: %q", text)
	}
	first.remove()
	first.remove()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("file remains: %v", err)
	}
	if err := second.claim(); err != nil {
		t.Errorf("after its end: %v", err)
	}
	second.remove()
}

func TestPidFileRefused(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link.pid")
	if err := os.Symlink(filepath.Join(dir, "victim"), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, filepath.Join(dir, "absent", "mapid.pid"), dir} {
		p := &pidFile{path: path}
		if err := p.claim(); err == nil {
			t.Errorf("%s: claimed", path)
		}
		p.remove()
	}
}

func TestPidPath(t *testing.T) {
	for _, c := range []struct {
		o    options
		want string
	}{
		{options{}, "/var/run/mapid.pid"},
		{options{group: 3, dir: "/d"}, "/var/run/mapid3.pid"},
		{options{group: 3, dir: "/d", pidFile: "/x/pid"}, "/x/pid"},
		{options{dir: "/d", pidFile: "pid"}, "/d/pid"},
	} {
		if got := pidPath(&c.o); got != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
}
