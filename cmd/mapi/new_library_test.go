package main

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"

	"gomapi/drivers"
	"gomapi/drivers/fake"
	"gomapi/flib"
	"gomapi/internal/config"
	mapid "gomapi/internal/daemon"
	"gomapi/internal/filter/libpcap"
	"gomapi/mapi"
)

// twoWords is a function with a result that no other function has.
var twoWords = flib.Def{
	Name: "TWO_WORDS", Description: "Has a result of two words.", Result: "longest in bytes, then its time",
	Fields: []flib.Field{{Name: "longest", Kind: flib.FieldUint64, Unit: "bytes"}, {Name: "at", Kind: flib.FieldTime}},
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		out, err := env.NewResult(16)
		return passAll{out}, err
	},
}

// otherWords has the name, but neither the arguments nor the result.
var otherWords = flib.Def{
	Name: "TWO_WORDS", Description: "Has a result of two rows, after a state.", Result: "state, then packets of each host",
	Args: []flib.Arg{{Name: "what", Kind: flib.Int, Doc: "anything"}},
	Fields: []flib.Field{
		{Name: "state", Kind: flib.FieldUint64, When: "what=1", Words: map[int64]string{0: "open"}},
		{Name: "state", Kind: flib.FieldUint64, Hidden: true},
		{Name: "hosts", Kind: flib.FieldRows, Unit: "hosts", Rows: []flib.Field{{Name: "packets", Kind: flib.FieldUint32, Unit: "packets"}}},
	},
	Text: "{state}, {#hosts}: {hosts}",
	New:  twoWords.New,
}

// typed returns a function for a type of device, with its result in a unit.
func typed(devType, unit string) flib.Def {
	return flib.Def{
		Name: "TYPED", DevType: devType, Result: "two numbers",
		Fields: []flib.Field{{Name: "value", Kind: flib.FieldUint64, Unit: unit}, {Kind: flib.FieldUint64}},
		New:    twoWords.New,
	}
}

type passAll struct{ *flib.Result }

func (passAll) Process(in []*flib.Packet) []*flib.Packet { return in }

// TestNewLibrary adds a library to a daemon. The tool and package mapi show its
// function without knowing it.
func TestNewLibrary(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	startWith(t, socket, flib.Library{Name: "newlib", Functions: []flib.Def{twoWords, typed("", "packets")}},
		flib.Library{Name: "otherlib", Functions: []flib.Def{otherWords, typed(drivers.TypeNIC, "bytes")}})
	t.Setenv("MAPI_SOCKET", socket)
	for want, args := range map[string][]string{
		`{"function":1,"name":"TWO_WORDS","result":{"longest":0,"at":null}}`: {"apply", "--json", "-d", "eth0", "TWO_WORDS"},
		"1 newlib:TWO_WORDS: longest 0 bytes, at none":                       {"apply", "-d", "eth0", "newlib:TWO_WORDS"},
		"1 TYPED: 0 bytes":                         {"apply", "-d", "eth0", "TYPED"},
		"1 TYPED!1.3: 0 bytes":                     {"apply", "-d", "eth0", "TYPED!1.3"},
		"1 otherlib:TWO_WORDS: open, 2 hosts: 0 0": {"apply", "-d", "eth0", "otherlib:TWO_WORDS", "1"},
		"1 otherlib:TWO_WORDS!1: 0, 2 hosts: 0 0":  {"apply", "-d", "eth0", "otherlib:TWO_WORDS!1", "2"},
		`{"function":1,"name":"otherlib:TWO_WORDS","result":{"state":"open","hosts":[0,0]}}`: {"apply", "--json", "-d", "eth0", "otherlib:TWO_WORDS", "1"},
		"TWO_WORDS()    library newlib": {"info", "functions", "TWO_WORDS"},
	} {
		l := startTool(t, args...)
		got, err := l.lines.ReadString('\n')
		l.cmd.Process.Kill()
		l.cmd.Wait()
		if withoutTime(got) != want {
			t.Errorf("mapi %q: %q, %v, want %q", args, got, err, want)
		}
	}
	c := &mapi.Client{Socket: socket}
	defer c.Close()
	all, err := c.LibraryFunctions(t.Context(), 0)
	if err != nil || len(all) != 2 || len(all[0].Fields) != 2 || all[0].Fields[1].Kind != "time" {
		t.Errorf("%+v, %v", all, err)
	}
}

// startWith runs a daemon with one device eth0 and the libraries until the end
// of the test.
func startWith(t *testing.T, socket string, libs ...flib.Library) {
	t.Helper()
	var reg drivers.Registry
	drv := &fake.Driver{}
	drv.Add("eth0", drivers.Info{DevType: drivers.TypeNIC, LinkType: 1, Snap: drivers.MaxSnap})
	reg.Add("mapinicdrv", drv)
	conf := config.Default()
	conf.Auto = false
	conf.Devices = []config.Device{{Name: "eth0", Driver: "mapinicdrv", Alias: config.DefaultAlias}}
	log := logrus.New()
	log.SetOutput(t.Output())
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- mapid.Run(ctx, mapid.Options{Socket: socket, Config: conf, Drivers: &reg, Functions: flib.NewRegistry(libs...),
			Compiler: libpcap.InProcess{}, Log: log, Version: "test", Ready: func() { close(ready) }})
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// withoutTime removes the line's end and the time of reading, in JSON or text.
func withoutTime(line string) string {
	return readingTime.ReplaceAllString(strings.TrimSuffix(line, "\n"), "$1")
}

var readingTime = regexp.MustCompile(`^(\{)"time":"[^"]*",|^[0-9:.]{12} `)
