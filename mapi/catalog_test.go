package mapi_test

import (
	"net"
	"path/filepath"
	"testing"

	"gomapi/internal/wire"
	"gomapi/mapi"
)

// TestArgumentsOfLibraries checks that text arguments are converted for the
// function of the named library, or of the first library with the name. A
// library without functions hides no other.
func TestArgumentsOfLibraries(t *testing.T) {
	f, applied := ofLibraries(t, []*wire.Library{{Id: 0, Name: "none"}, {Id: 2, Name: "one"}, {Id: 5, Name: "two"}},
		map[int32][]*wire.LibraryFunction{
			2: {{Id: 0, Name: "F", Argdescr: "s"}},
			5: {{Id: 0, Name: "F", Argdescr: "i"}, {Id: 1, Name: "G", Argdescr: "i"}},
		})
	for name, number := range map[string]bool{
		"F": false, "one:F": false, "two:F": true, "F!1.3": false, "two:F!1.3": true, ":F": false, ":G": true, "G": true,
		"one:G": false, "three:F": false, // there is none, and the text stays unchanged
	} {
		_, err := f.ApplyArray(t.Context(), name, []string{"5"})
		wantCode(t, name, err, mapi.ErrNotSupported)
		if _, isNumber := (<-applied).Args[0].Kind.(*wire.Value_Int); isNumber != number {
			t.Errorf("%s has a number: %v, want %v", name, isNumber, number)
		}
	}
}

// ofLibraries creates a flow on a daemon that has the libraries, rejects all
// functions, and reports the requested ones.
func ofLibraries(t *testing.T, libs []*wire.Library, functions map[int32][]*wire.LibraryFunction) (*mapi.Flow, chan *wire.ApplyFunction) {
	socket := filepath.Join(t.TempDir(), "libraries.sock")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
	must(err)
	applied, done := make(chan *wire.ApplyFunction, 1), make(chan struct{})
	go func() {
		defer close(done)
		sock, err := l.AcceptUnix()
		must(err)
		conn, err := wire.NewConn(sock)
		must(err)
		defer conn.Close()
		serveLibraries(conn, libs, functions, applied)
	}()
	c := &mapi.Client{Socket: socket}
	t.Cleanup(func() { c.Close(); l.Close(); <-done })
	f, err := c.CreateFlow(t.Context(), "net0")
	must(err)
	return f, applied
}

func serveLibraries(conn *wire.Conn, libs []*wire.Library, functions map[int32][]*wire.LibraryFunction, applied chan *wire.ApplyFunction) {
	memory := sealed()
	defer memory.Close()
	for {
		var req wire.Request
		if _, err := conn.Receive(&req); err != nil {
			return
		}
		resp := &wire.Response{Id: req.Id, Error: &wire.Error{Code: int32(mapi.ErrNotSupported)}}
		switch m := req.Call.(type) {
		case *wire.Request_Hello:
			must(conn.Send(&wire.Response{Id: req.Id, Result: &wire.Response_Welcome{Welcome: &wire.Welcome{}}}, memory))
			continue
		case *wire.Request_CreateFlow:
			resp = &wire.Response{Id: req.Id, Result: &wire.Response_FlowCreated{
				FlowCreated: &wire.FlowCreated{Fd: 1, Device: "net0", Offset: 8},
			}}
		case *wire.Request_Libraries:
			if m.Libraries.Id < 0 {
				resp = &wire.Response{Id: req.Id, Result: &wire.Response_Libraries{Libraries: &wire.Libraries{Libraries: libs}}}
			}
		case *wire.Request_LibraryFunctions:
			if list := functions[m.LibraryFunctions.Library]; m.LibraryFunctions.Id < 0 && list != nil {
				resp = &wire.Response{Id: req.Id, Result: &wire.Response_LibraryFunctions{
					LibraryFunctions: &wire.LibraryFunctions{Functions: list},
				}}
			}
		case *wire.Request_ApplyFunction:
			applied <- m.ApplyFunction
		}
		must(conn.Send(resp))
	}
}
