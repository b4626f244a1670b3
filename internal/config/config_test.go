package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
)

// build is what a small build of mapid contains.
var build = Known{
	Drivers:   map[string]bool{"mapinicdrv": true},
	Libraries: []string{"stdflib"},
	Sections:  map[string]bool{"dag": true},
	User:      numbered("user", map[string]uint32{"ann": 1000, "bob": 1001}),
	Group:     numbered("group", map[string]uint32{"staff": 50, "lab": 51}),
}

// numbered finds the numbers of a few names.
func numbered(what string, ids map[string]uint32) func(name string) (uint32, error) {
	return func(name string) (uint32, error) {
		if id, ok := ids[name]; ok {
			return id, nil
		}
		return 0, errors.New("there is no " + what + " " + name)
	}
}

// write creates a configuration file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mapi.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads a file, which must succeed.
func load(t *testing.T, text string) (*Config, []Problem) {
	t.Helper()
	cfg, problems, err := Load(write(t, text), build)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, problems
}

// tutorial is the example of the MAPI tutorial, section 5.2.
const tutorial = `libpath=/usr/local/share/mapi
drvpath=/usr/local/share/mapi

libs=stdflib.so:extraflib.so

dimapi_port=2233
syslog_level=1
logfile=

[driver]
device=eth0
driver=mapinidrv.so

[driver]
device=eth1
driver=mapinidrv.so

[driver]
device=lo
driver=mapinidrv.so
description=This is a driver for local capture

[format]
format=MFF_PCAP
driver=mapinidrv.so
description=Offline pcap-capture
`

func TestTutorial(t *testing.T) {
	cfg, problems := load(t, tutorial)
	nic := func(name, description string, line int) Device {
		return Device{Name: name, Driver: "mapinicdrv", Description: description,
			Alias: "No alias", Params: map[string]string{}, Line: line}
	}
	want := &Config{
		Path: cfg.Path, Libs: []string{"stdflib"}, DimapiPort: 2233, LogLevel: 1,
		Devices: []Device{
			nic("eth0", "No description", 10),
			nic("eth1", "No description", 14),
			nic("lo", "This is a driver for local capture", 18),
		},
		Formats: []FormatEntry{{Format: 0, Name: "MFF_PCAP", Driver: "mapinicdrv",
			Description: "Offline pcap-capture", Line: 23}},
	}
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Text, "extraflib is not part of this build") {
		t.Errorf("problems: %v, want one warning of extraflib", problems)
	}
}

func TestTutorialCRLF(t *testing.T) {
	unix, _ := load(t, tutorial)
	dos, _ := load(t, "\ufeff"+strings.ReplaceAll(tutorial, "\n", "\r\n"))
	dos.Path = unix.Path
	if diff := cmp.Diff(unix, dos); diff != "" {
		t.Errorf("with BOM and CRLF (-unix +dos):\n%s", diff)
	}
}

func TestValues(t *testing.T) {
	cfg, problems := load(t, "local=1\nlogfile = /var/log/ma pi#1;2 \n"+
		"[driver]\ndevice = eth0\ndriver = mapinicdrv.so\ndescription = 'a  b' = \"%(device)s\" \\\n"+
		"alias = up link\nlink_speed=10000\nmpls=1\nvlan=1\ndevgroup=7\npromisc=0\nsnap=\n")
	if len(problems) != 0 {
		t.Errorf("problems: %v", problems)
	}
	want := &Config{
		Path: cfg.Path, Libs: []string{"stdflib"}, DimapiPort: 2233, LogLevel: 2, Local: true,
		LogFile: "/var/log/ma pi#1;2",
		Devices: []Device{{Name: "eth0", Driver: "mapinicdrv", Description: `'a  b' = "%(device)s" \`,
			Alias: "up link", LinkSpeed: 10000, MPLS: true, VLAN: true, Group: 7,
			Params: map[string]string{"promisc": "0"}, Line: 3}},
	}
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestExtra(t *testing.T) {
	cfg, problems := load(t, "[dag]\ndsm_loader_bin=/bin/x\nempty=\n")
	want := []Section{
		{Name: "dag", Line: 1, Keys: []Key{{"dsm_loader_bin", "/bin/x", 2}}, Empty: []Key{{"empty", "", 3}}},
	}
	if diff := cmp.Diff(want, cfg.Extra); diff != "" || len(problems) != 0 {
		t.Errorf("problems %v, sections (-want +got):\n%s", problems, diff)
	}
}

func TestGroup(t *testing.T) {
	cfg, _ := load(t, "[driver]\ndevice=a\ndriver=mapinicdrv\ndevgroup=2\n"+
		"[driver]\ndevice=b\ndriver=mapinicdrv\n[driver]\ndevice=c\ndriver=mapinicdrv\ndevgroup=2\n"+
		"[driver]\ndevice=d\ndriver=mapinicdrv\ndevgroup=0\n")
	for group, want := range map[int]string{0: "b d", 1: "", 2: "a c"} {
		var names []string
		for _, d := range cfg.Group(group) {
			names = append(names, d.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("group %d: %q, want %q", group, got, want)
		}
	}
}

func TestDefault(t *testing.T) {
	cfg := Default()
	if !cfg.Auto || cfg.Path != "" || cfg.DimapiPort != 2233 || cfg.LogLevel != 2 || len(cfg.Formats) != 1 {
		t.Errorf("%+v", cfg)
	}
}

func TestSearch(t *testing.T) {
	dir := t.TempDir()
	absent := filepath.Join(dir, "absent.conf")
	path := write(t, "dimapi_port=1\n")
	cfg, _, err := Load(absent+"::"+path+":"+write(t, "dimapi_port=2\n"), build)
	if err != nil || cfg.Path != path || cfg.DimapiPort != 1 {
		t.Fatalf("%+v, %v: want the first readable file", cfg, err)
	}
	_, _, err = Load(absent+":"+absent, build)
	if !errors.Is(err, ErrNoFile) || !strings.Contains(err.Error(), absent) {
		t.Errorf("no file: %v", err)
	}
	if _, _, err := Load(":", build); !errors.Is(err, ErrNoFile) {
		t.Errorf("empty list: %v", err)
	}
	_, _, err = Load(dir, build)
	if err == nil || errors.Is(err, ErrNoFile) || mapierr.CodeOf(err, 0) != mapierr.File {
		t.Errorf("directory: %v", err)
	}
}

func TestSearchPath(t *testing.T) {
	defer func(was string) { sysconfdir = was }(sysconfdir)
	for dir, want := range map[string]string{
		"/usr/local/etc": "/usr/local/etc/mapi/mapi.conf:/etc/mapi/mapi.conf:/etc/mapi.conf",
		"/etc":           "/etc/mapi/mapi.conf:/etc/mapi.conf",
	} {
		sysconfdir = dir
		if got := SearchPath(); got != want {
			t.Errorf("%s: %s, want %s", dir, got, want)
		}
	}
}

// TestCheckParams has a driver that rejects a value.
func TestCheckParams(t *testing.T) {
	known := build
	known.CheckParams = map[string]func(key, value string) error{
		"mapinicdrv": func(key, value string) error {
			if key == "snap" {
				return errors.New("want more than " + value)
			}
			return nil
		},
	}
	path := write(t, "[driver]\ndevice=a\ndriver=mapinicdrv\nring_mb=1\nsnap=1\n"+
		"[driver]\ndevice=b\ndriver=mapivindrv\ntrace_dir=?\n")
	cfg, problems, err := Load(path, known)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 2 || problems[0].String() != path+`:5: device "a" cannot be opened: want more than 1` || !problems[1].Warning {
		t.Errorf("problems: %v", problems)
	}
	if len(cfg.Devices) != 2 || cfg.Devices[0].Params["snap"] != "1" {
		t.Errorf("devices: %+v", cfg.Devices)
	}
}

func TestLogFolder(t *testing.T) {
	file := write(t, "")
	for logfile, want := range map[string]string{
		filepath.Join(t.TempDir(), "mapi"): "",
		"mapi":                             "",
		"missing/mapi":                     "logfile=missing/mapi cannot be written: stat missing: no such file or directory",
		file + "/mapi":                     "logfile=" + file + "/mapi cannot be written: " + file + " is not a directory",
	} {
		cfg, problems := load(t, "\nlogfile="+logfile+"\n")
		if cfg.LogFile != logfile {
			t.Errorf("logfile %q", cfg.LogFile)
		}
		if want == "" && len(problems) == 0 {
			continue
		}
		if len(problems) != 1 || problems[0].Text != want || problems[0].Line != 2 || problems[0].Warning {
			t.Errorf("%s: %v, want %q", logfile, problems, want)
		}
	}
}

// TestPipe loads a pipe without a writer, which must not block.
func TestPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "mapi.conf")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Load(pipe, build)
	if !errors.Is(err, mapierr.File) || !strings.Contains(err.Error(), pipe+": it is not a regular file") {
		t.Error(err)
	}
}
