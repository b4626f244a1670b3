package daemon

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gomapi/internal/config"
	"gomapi/internal/mapierr"
	"gomapi/internal/policy"
	"gomapi/internal/principal"
	"gomapi/internal/wire"
)

// granting makes a section with lists of what is allowed.
func granting(kind policy.Kind, name string, devices, statistics []string) policy.Section {
	s := policy.Section{Kind: kind, Name: name, Line: 3, Identity: name, Others: name == policy.Any}
	if kind == policy.User && name == ownUID() {
		uid := uint32(os.Geteuid())
		s.ID = &uid
	}
	if devices != nil {
		s.Lists[policy.Devices] = &policy.List{Line: 4, Allow: devices}
	}
	if statistics != nil {
		s.Lists[policy.Statistics] = &policy.List{Line: 5, Allow: statistics}
	}
	return s
}

// accounts returns the accounts that a program sees.
func (p *program) accounts() (names []string) {
	p.t.Helper()
	for _, u := range p.call(&wire.Request{Call: &wire.Request_Users{Users: &wire.UserQuery{Limit: 100}}}).GetUsers().GetUsers() {
		names = append(names, u.Name)
	}
	return names
}

// TestClientsAreDeniedByDefault: where there are rules, a client may do what its section allows, and
// a client without a section nothing.
func TestClientsAreDeniedByDefault(t *testing.T) {
	o, _ := options(t, filepath.Join(t.TempDir(), "mapid.sock"))
	o.Config.TrustedPeers = []string{ownUID()}
	o.Config.Access = []policy.Section{granting(policy.Client, "noc", []string{"net0"}, nil)}
	start(t, o)
	own := greeted(t, o.Socket)
	noc, _ := hello(t, o.Socket, "noc")
	stranger, _ := hello(t, o.Socket, "user "+ownUID())
	for _, p := range []*program{own, noc} {
		if resp := p.call(create("net0")); resp.Error != nil {
			t.Error(resp.Error)
		}
	}
	wantError(t, "a device that the section does not allow", noc.call(create("dag0")), mapierr.AuthFailed)
	wantError(t, "a client without a section", stranger.call(create("net0")), mapierr.NoAuthData)
	if got := noc.names(); !slices.Equal(got, []string{"net0"}) {
		t.Errorf("the client sees the devices %v", got)
	}
	if got := stranger.names(); got != nil {
		t.Errorf("a client without a section sees the devices %v", got)
	}
	if got := noc.accounts(); !slices.Equal(got, []string{"client noc"}) {
		t.Errorf("the client sees the accounts %v", got)
	}
	if got := own.accounts(); len(got) != 3 {
		t.Errorf("a user whom no section names sees the accounts %v", got)
	}
}

// TestReloadOfRights takes a right away while a flow runs, and gives it back.
func TestReloadOfRights(t *testing.T) {
	r := startReloading(t, func(*Options) {})
	p := greeted(t, r.socket)
	fd := p.call(create("net0")).GetFlowCreated().GetFd()
	connect := func(fd int32) *wire.Response {
		return p.call(&wire.Request{Call: &wire.Request_Connect{Connect: &wire.Connect{Fd: fd}}})
	}
	if resp := connect(fd); resp.Error != nil {
		t.Fatal(resp.Error)
	}
	device := []config.Device{{Name: "net0", Driver: "fake", Alias: config.DefaultAlias}}
	r.take(&config.Config{Devices: device, Access: []policy.Section{granting(policy.User, ownUID(), []string{"x"}, []string{"net0"})}})
	var ended *wire.DeviceEnded
	for ended == nil {
		resp := &wire.Response{}
		if _, err := p.conn.Receive(resp); err != nil {
			t.Fatal(err)
		}
		ended = resp.GetDeviceEnded()
	}
	if ended.Fd != fd || mapierr.Code(ended.GetError().GetCode()) != mapierr.NotAuthenticated {
		t.Errorf("the program is told %v", ended)
	}
	wantError(t, "a new flow", p.call(create("net0")), mapierr.AuthFailed)
	if got := p.names(); !slices.Equal(got, []string{"net0"}) {
		t.Errorf("devices whose statistics may be seen: %v", got)
	}
	r.take(&config.Config{Devices: device, Access: []policy.Section{granting(policy.User, policy.Any, []string{"net0"}, nil)}})
	if resp := connect(p.call(create("net0")).GetFlowCreated().GetFd()); resp.Error != nil {
		t.Error(resp.Error)
	}
}

// TestSubjects: a user namespace gives nobody other rights than its owner's, and root's to nobody.
func TestSubjects(t *testing.T) {
	for _, c := range []struct{ uid, payer, want uint32 }{{1, 1, 1}, {231078, 1, 1}, {0, 0, 0}, {231078, 0, 231078}} {
		s := subjectOf(principal.Principal{UID: c.uid, Payer: c.payer, GID: 7, Groups: []uint32{8, 9}})
		if s.UID != c.want || !slices.Equal(s.Groups, []uint32{7, 8, 9}) || s.Client != "" {
			t.Errorf("user %d, for whom %d pays: %+v", c.uid, c.payer, s)
		}
	}
}

// TestGroupsOfTheDatabase count as well, if a section is for a group.
func TestGroupsOfTheDatabase(t *testing.T) {
	d := &daemon{}
	byGroup := config.Config{Access: []policy.Section{{Kind: policy.Group}}}
	if d.policyOf(&byGroup); !slices.Contains(d.withGroups(policy.Subject{}).Groups, 0) {
		t.Error("root is not in its group")
	}
	if d.policyOf(&config.Config{}); d.withGroups(policy.Subject{}).Groups != nil {
		t.Error("groups are looked up in vain")
	}
	d.Conn = &net.UnixConn{}
	if d.policyOf(&byGroup) != nil {
		t.Error("a private daemon has rules")
	}
}
