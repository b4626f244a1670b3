package daemon

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/account"
	"gomapi/internal/mapierr"
	"gomapi/internal/principal"
	"gomapi/internal/wire"
)

// hello greets with the name of a client.
func hello(t *testing.T, socket, client string) (*program, *wire.Response) {
	t.Helper()
	p := &program{t: t, conn: conversation(t, dial(t, socket))}
	return p, p.call(&wire.Request{Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version, OnBehalf: client}}})
}

// TestOnBehalf acts for clients, with and without the right to do so.
func TestOnBehalf(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		socket := filepath.Join(t.TempDir(), "mapid.sock")
		o, _ := options(t, socket)
		if trusted {
			o.Config.TrustedPeers = []string{"nobody_of_this_name", ownUID()}
		}
		start(t, o)
		for client, ok := range map[string]bool{
			"CN=noc.example.org": trusted, "user 0": trusted, // another account than that of root
			"a\nb": false, "a\x00": false, strings.Repeat("x", maxClientName+1): false,
		} {
			_, resp := hello(t, socket, client)
			if got := mapierr.Code(resp.GetError().GetCode()); ok && resp.Error != nil || !ok && got != mapierr.AuthFailed {
				t.Errorf("trusted %v: hello on behalf of %q: %v", trusted, client, resp.Error)
			}
		}
	}
}

// TestEndWhileGreeting ends the daemon while programs begin to act for clients.
func TestEndWhileGreeting(t *testing.T) {
	for range 10 {
		socket := filepath.Join(t.TempDir(), "mapid.sock")
		o, _ := options(t, socket)
		o.Config.TrustedPeers = []string{ownUID()}
		stop := start(t, o)
		for range 8 {
			c := conversation(t, dial(t, socket))
			_ = c.Send(&wire.Request{Id: 1, Call: &wire.Request_Hello{Hello: &wire.Hello{Version: wire.Version, OnBehalf: "x"}}})
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

// TestUsers reads the accounts: those of clients are apart from the program's own.
func TestUsers(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "mapid.sock")
	o, _ := options(t, socket)
	o.Config.TrustedPeers = []string{ownUID()}
	start(t, o)
	p := greeted(t, socket)
	other, _ := hello(t, socket, "user "+ownUID())
	p.call(create("net0"))
	other.call(create("net0"))
	other.call(create("net0"))
	memory := make(map[string]uint64)
	for after := ""; ; {
		users := p.call(&wire.Request{Call: &wire.Request_Users{Users: &wire.UserQuery{After: after}}}).GetUsers()
		if len(users.GetUsers()) == 0 {
			break
		}
		for _, u := range users.Users {
			for _, k := range u.Taken {
				if k.Kind == "memory" {
					memory[u.Name] = k.Amount
				}
			}
			after = u.Name
		}
	}
	own, client := memory["user "+ownUID()], memory["client user "+ownUID()]
	if len(memory) != 2 || own == 0 || client <= own {
		t.Errorf("memory of users: %v", memory)
	}
	flows := p.call(&wire.Request{Call: &wire.Request_Flows{Flows: &wire.FlowQuery{Next: true, Limit: 100}}}).GetFlows().GetFlows()
	if len(flows) != 3 && ownUID() == "0" {
		t.Errorf("root sees %d flows", len(flows))
	}
	seen := other.call(&wire.Request{Call: &wire.Request_Flows{Flows: &wire.FlowQuery{Next: true, Limit: 100}}}).GetFlows().GetFlows()
	if len(seen) != 2 {
		t.Errorf("the client sees %d flows, not its own 2", len(seen))
	}
}

// TestHolders: only root itself, and the user that mapid runs as, are not bound as a user is.
func TestHolders(t *testing.T) {
	self := uint32(os.Geteuid())
	for _, c := range []struct {
		uid, payer uint32
		want       account.Holder
	}{
		{1, 1, account.Holder{ID: "user 1"}},
		{231078, 1, account.Holder{ID: "user 1"}}, // in a user namespace
		{0, 0, account.Holder{ID: "user 0", Root: true}},
		{231078, 0, account.Holder{ID: "user 0 in namespaces"}}, // in a container of root
		{self, self, account.Holder{ID: "user " + ownUID(), Root: true}},
		{231078, self, account.Holder{ID: "user " + ownUID() + " in namespaces"}},
	} {
		if got := holderOf(principal.Principal{UID: c.uid, Payer: c.payer}); got != c.want {
			t.Errorf("user %d, for whom %d pays: %+v, want %+v", c.uid, c.payer, got, c.want)
		}
	}
}

func ownUID() string { return strconv.Itoa(os.Geteuid()) }
