package daemon

import (
	"strings"
	"testing"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// TestNotAnonymous checks that no packets arrive if anonymization failed, even
// for a program that uses the protocol directly and ignores errors.
func TestNotAnonymous(t *testing.T) {
	socket, _ := listening(t)
	p := greeted(t, socket)
	for what, m := range map[string]*wire.ApplyFunction{
		"unknown function":      {Name: "ANONYMIZE", Args: []*wire.Value{{Kind: &wire.Value_Text{Text: []byte("IP, SRC_IP, MAP")}}}},
		"NUL in the rule":       {Name: "anonflib:ANONYMIZE", Args: []*wire.Value{{Kind: &wire.Value_Text{Text: []byte("IP\x00")}}}},
		"value of no kind":      {Name: "ANONYMIZE!1", Args: []*wire.Value{{}}},
		"file that is not here": {Name: "ANONYMIZE", Args: []*wire.Value{{Kind: &wire.Value_File{File: &wire.File{}}}}},
		"name that is too long": {Name: strings.Repeat("x", maxFunctionName) + ":ANONYMIZE"},
	} {
		m.Fd = p.call(create("net0")).GetFlowCreated().GetFd()
		if p.call(&wire.Request{Call: &wire.Request_ApplyFunction{ApplyFunction: m}}).Error == nil {
			t.Errorf("%s: applied", what)
		}
		connect := &wire.Request{Call: &wire.Request_Connect{Connect: &wire.Connect{Fd: m.Fd}}}
		wantError(t, what, p.call(connect), mapierr.CouldNotInitFunction)
	}
}
