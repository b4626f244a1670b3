package main

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// fieldsOf returns the field names of an object, with "?" after those that may
// be omitted.
func fieldsOf(t reflect.Type) (fields []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			fields = append(fields, fieldsOf(f.Type)...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if options == "omitempty" {
			name += "?"
		}
		fields = append(fields, name)
	}
	return fields
}

// TestDocumentedFields compares the objects with docs/json.md.
func TestDocumentedFields(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]string)
	heading := ""
	row := regexp.MustCompile("^\\| `(\\w+)` \\| ([^|]*) \\|")
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			heading = strings.TrimSpace(strings.ReplaceAll(title, "`", ""))
		}
		if m := row.FindStringSubmatch(line); m != nil {
			name := m[1]
			if strings.Contains(m[2], "optional") {
				name += "?"
			}
			got[heading] = append(got[heading], name)
		}
	}
	want := make(map[string][]string)
	for heading, object := range map[string]any{
		"mapi dump": packetObject{}, "mapi count: each interval": line{}, "mapi count: the last line": total{},
		"mapi apply": resultObject{}, "mapi info devices": deviceObject{}, "mapi info libraries": libraryObject{},
		"mapi info functions": functionObject{}, "mapi info functions: args": argumentObject{},
		"mapi info users": takenObject{}, "mapi info flows": flowObject{}, "mapi info flows: functions": appliedObject{},
		"mapi stats: kind is stage": stageObject{}, "mapi stats: kind is filter": filterObject{}, "mapi stats: kind is sum": sumObject{},
	} {
		want[heading] = fieldsOf(reflect.TypeOf(object))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-code +docs/json.md):\n%s", diff)
	}
}

// TestDocumentedResults compares the results of functions with docs/json.md.
func TestDocumentedResults(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| ([^`|]+) \\| (.*`.*) \\|$")
	var got [][]string
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		var fields []string
		for _, f := range regexp.MustCompile("`(\\w+)`( \\(optional\\))?").FindAllStringSubmatch(m[2], -1) {
			if name := f[1]; f[2] != "" {
				fields = append(fields, name+"?")
			} else {
				fields = append(fields, name)
			}
		}
		got = append(got, fields)
	}
	described := struct { // GAP, by its definition
		Seconds float64 `json:"seconds"`
	}{}
	var want [][]string
	for _, v := range []any{amount{}, instant{}, described, statistics{}, distribution{}, startStop{}, bursts{}, noted{}, event{},
		sample{}, file{}, buffered{}, unknown{}} {
		want = append(want, fieldsOf(reflect.TypeOf(v)))
	}
	i := slices.IndexFunc(want, func(f []string) bool { return f[0] == "categories" })
	want[i] = append(want[i], fieldsOf(reflect.TypeOf(category{}))...)
	got = slices.DeleteFunc(got, func(f []string) bool { return len(f) == 1 && f[0] == "value" }) // BINOP that subtracts
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-code +docs/json.md):\n%s", diff)
	}
}

// TestPacketObject has a tagged packet on a device, and one of no network.
func TestPacketObject(t *testing.T) {
	form := new(lineFlags).objects("eth0")
	frame := testnet.Tagged(testnet.UDP(1, frameSize), testnet.Tag{TPID: 0x8100, TCI: 3<<13 | 42})
	for _, c := range []struct {
		p    *mapi.Packet
		want string // a part
	}{
		{&mapi.Packet{TS: 1 << 32, LinkType: 1, Wlen: 1000, Data: frame},
			`"interface":"eth0","port":0,"link_type":1,"length":1000,"captured":204,"ethertype":2048,"vlans":[42],` +
				`"src":"10.0.0.1","dst":"10.0.0.2","proto":"udp","sport":`},
		{&mapi.Packet{TS: 1 << 32, LinkType: 1, Wlen: 14, Data: frame[:14]}, `"captured":14,"ethertype":33024,"summary":`},
		{&mapi.Packet{TS: 1 << 32, LinkType: 1}, `"length":0,"captured":0,"summary":" [|ether]"}`},
	} {
		got := string(form(nil, c.p))
		if !json.Valid([]byte(got)) || !strings.Contains(got, c.want) {
			t.Errorf("%s is not in %s", c.want, got)
		}
	}
}
