package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/drivers"
	"gomapi/internal/config"
)

func TestSocketPath(t *testing.T) {
	t.Setenv("HOME", "/home/someone")
	system := "/run/mapi/mapid"
	if os.Geteuid() != 0 {
		system = "/home/someone/.mapid"
	}
	for _, c := range []struct {
		o     options
		local bool
		want  string
	}{
		{options{}, false, system + ".sock"},
		{options{group: 3}, false, system + "3.sock"},
		{options{}, true, "/home/someone/.mapid.sock"},
		{options{group: 12}, true, "/home/someone/.mapid12.sock"},
		{options{socket: "/x/y"}, true, "/x/y"},
	} {
		if got, err := socketPath(&c.o, c.local); err != nil || got != c.want {
			t.Errorf("%+v local=%v: %q, %v, want %q", c.o, c.local, got, err, c.want)
		}
	}
	long := "/" + strings.Repeat("x", maxSocket-1)
	if got, err := socketPath(&options{socket: long}, false); err != nil || got != long {
		t.Errorf("the longest path: %q, %v", got, err)
	}
	if _, err := socketPath(&options{socket: long + "x"}, false); err == nil || !strings.Contains(err.Error(), "108 bytes, the maximum is 107") {
		t.Errorf("a path that is too long: %v", err)
	}
	t.Setenv("HOME", "")
	if _, err := socketPath(&options{}, true); err == nil || !strings.Contains(err.Error(), "--socket") {
		t.Errorf("without HOME: %v", err)
	}
}

func TestConfigure(t *testing.T) {
	dir := t.TempDir()
	text := "logfile=log/mapi\n[driver]\ndevice=a\ndriver=mapinicdrv\n" +
		"[driver]\ndevice=b\ndriver=mapinicdrv\ndevgroup=1\n"
	if err := os.WriteFile(filepath.Join(dir, "mapi.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for group, want := range []string{"a", "b"} {
		s, err := configure(&options{config: "mapi.conf", group: group, dir: dir})
		if err != nil || len(s.Devices) != 1 || s.Devices[0].Name != want {
			t.Fatalf("group %d: %+v, %v", group, s, err)
		}
		if want := filepath.Join(dir, "log/mapi"); s.LogFile != want {
			t.Errorf("logfile %q, want %q", s.LogFile, want)
		}
	}
}

// TestParameters checks that the interface driver knows each key that mapi.conf
// passes to it. The driver rejects unknown keys by name.
func TestParameters(t *testing.T) {
	const name = "no-such-if"
	text := "[driver]\ndevice=" + name + "\ndriver=mapinicdrv.so\n"
	for _, key := range []string{"ring_mb", "block_kb", "retire_ms", "snap", "promisc", "direction",
		"vlan_tags", "latency", "tstamp", "netns"} {
		text += key + "=?/\n" // an invalid value for all keys
	}
	path := filepath.Join(t.TempDir(), "mapi.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems, err := config.Load(path, known())
	if err != nil || len(problems) != len(cfg.Devices[0].Params) {
		t.Fatal(err, problems)
	}
	for _, p := range problems {
		if p.Warning || !strings.Contains(p.Text, `="?/": want`) {
			t.Errorf("%v, want that the value is bad", p)
		}
	}
	for key, value := range cfg.Devices[0].Params {
		_, err := liveDrivers()["mapinicdrv"].Open(t.Context(),
			drivers.Config{Device: name, Params: map[string]string{key: value}})
		if err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "unknown parameter") {
			t.Errorf("%s: %v, want that the value is bad", key, err)
		}
	}
}

func TestRegistries(t *testing.T) {
	r := driverRegistry(config.Default().Formats)
	if _, ok := r.Live("mapinicdrv"); !ok {
		t.Error("no driver for interfaces")
	}
	if _, ok := r.File(drivers.FormatPCAP); !ok {
		t.Error("no driver for pcap files")
	}
	if _, ok := driverRegistry(nil).File(drivers.FormatPCAP); ok {
		t.Error("a format that is not configured is served")
	}
	l := newLibraries(builders())
	apply, err := l.prepare(&setup{Config: all(builders())})
	if err != nil {
		t.Fatal(err)
	}
	apply()
	libs := l.registry.Libraries()
	if len(libs) != 1 || libs[0].Name != "stdflib" || len(libs[0].Functions) == 0 {
		t.Errorf("libraries: %+v", libs)
	}
}
