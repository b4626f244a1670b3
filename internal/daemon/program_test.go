package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomapi/internal/wire"
)

// TestFlowTellsProgram checks that a flow reports its owner and the arguments
// of its functions.
func TestFlowTellsProgram(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "mapid.sock")
	o, _ := options(t, socket)
	start(t, o)
	p := greeted(t, socket)
	fd := p.call(create("net0")).GetFlowCreated().GetFd()
	p.call(&wire.Request{Call: &wire.Request_ApplyFunction{ApplyFunction: &wire.ApplyFunction{
		Fd: fd, Name: "STR_SEARCH", Args: []*wire.Value{
			{Kind: &wire.Value_Text{Text: []byte("a\xff b")}}, {Kind: &wire.Value_Int{Int: 5}}, {Kind: &wire.Value_Int{Int: 100}},
		},
	}}})
	flows := p.call(&wire.Request{Call: &wire.Request_Flows{Flows: &wire.FlowQuery{Fd: fd}}}).GetFlows().GetFlows()
	if len(flows) != 1 || int(flows[0].Pid) != os.Getpid() || flows[0].Program != ownName(t) {
		t.Errorf("flows %v, want one of process %d %q", flows, os.Getpid(), ownName(t))
	}
	functions := p.call(&wire.Request{Call: &wire.Request_Functions{
		Functions: &wire.FunctionQuery{Fd: fd, Next: true},
	}}).GetFunctions().GetFunctions()
	want := []string{"a\uFFFD b", "5", "100"}
	if len(functions) != 1 || !slices.Equal(functions[0].Args, want) {
		t.Errorf("functions %v, want one with %q", functions, want)
	}
}

// ownName is the kernel's name for this process.
func ownName(t *testing.T) string {
	t.Helper()
	name, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(name), "\n")
}
