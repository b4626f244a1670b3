package policy

import (
	"strings"
	"testing"

	"gomapi/internal/account"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
)

// number makes the number of a user or group.
func number(n uint32) *uint32 { return &n }

// list makes a list in line 12, with "!" before what is denied.
func list(text string) *List {
	l := &List{Line: 12}
	for item := range strings.FieldsSeq(text) {
		if name, deny := strings.CutPrefix(item, "!"); deny {
			l.Deny = append(l.Deny, name)
		} else {
			l.Allow = append(l.Allow, item)
		}
	}
	return l
}

// section makes a section from a header, such as "user 1", and lists, such as "devices eth0 !eth1".
func section(header string, lists ...string) Section {
	kind, name, _ := strings.Cut(header, " ")
	s := Section{Name: name, Line: 10, Others: name == Any, Limits: make(map[account.Kind]Limit)}
	for k, word := range kinds {
		if word == kind {
			s.Kind = Kind(k)
		}
	}
	switch {
	case s.Kind == Client:
		s.Identity = name
	case name >= "0" && name <= "9":
		s.ID = number(uint32(name[0] - '0'))
	}
	for _, text := range lists {
		key, items, _ := strings.Cut(text, " ")
		for k, word := range keyNames {
			if word == key {
				s.Lists[k] = list(items)
			}
		}
	}
	return s
}

var (
	ann  = Subject{UID: 1, Groups: []uint32{5, 6}}
	noc  = Subject{Client: "noc"}
	root = Subject{Groups: []uint32{0}}
)

// TestRights asks for rights with policies that grant, deny and contradict.
func TestRights(t *testing.T) {
	capture := func(names ...string) func(*Grant) error {
		return func(g *Grant) error { return g.Capture(names...) }
	}
	apply := func(library, name string) func(*Grant) error {
		return func(g *Grant) error { return g.Apply(library, name, false) }
	}
	see := func(names ...string) func(*Grant) error {
		return func(g *Grant) error { return g.See(names...) }
	}
	others := (*Grant).SeeOthers
	eth0, toFile := capture("eth0", "up"), apply("stdflib", "TO_FILE")
	for _, c := range []struct {
		what     string
		sections []Section
		who      Subject
		ask      func(*Grant) error
		want     mapierr.Code
		text     string // in the error
	}{
		{"no section", nil, ann, eth0, 0, ""},
		{"no section for the client", nil, noc, eth0, 0, ""},
		{"nobody names the user", []Section{section("user 2", "devices !*")}, ann, eth0, 0, ""},
		{"nobody names the client", []Section{section("user 2", "devices *")}, noc, eth0, mapierr.NoAuthData, `no section of F is for the client "noc"`},
		{"a user of the client's name", []Section{section("user noc", "devices *")}, noc, eth0, mapierr.NoAuthData, ""},
		{"a client of the user's number", []Section{section("client 1", "devices !*")}, ann, eth0, 0, ""},
		{"unknown user", []Section{section("user x", "devices !*")}, ann, eth0, 0, ""},
		{"unknown user is not root", []Section{section("user x", "devices !*")}, root, eth0, 0, ""},

		{"allowed", []Section{section("user 1", "devices eth0")}, ann, eth0, 0, ""},
		{"by the alias", []Section{section("user 1", "devices up")}, ann, eth0, 0, ""},
		{"not in the list", []Section{section("user 1", "devices eth1")}, ann, eth0, mapierr.AuthFailed, "device eth0 is not allowed by the key devices of [user 1] (F:12)"},
		{"all", []Section{section("user 1", "devices *")}, ann, eth0, 0, ""},
		{"all but", []Section{section("user 1", "devices * !eth0")}, ann, eth0, mapierr.AuthFailed, "device eth0 is denied by the key devices of [user 1] (F:12)"},
		{"all but the alias", []Section{section("user 1", "devices eth0 !up")}, ann, eth0, mapierr.AuthFailed, ""},
		{"allowed and denied", []Section{section("user 1", "devices eth0 !eth0")}, ann, eth0, mapierr.AuthFailed, "is denied"},
		{"empty list", []Section{section("user 1", "devices")}, ann, eth0, mapierr.AuthFailed, ""},
		{"no key, a user", []Section{section("user 1")}, ann, eth0, 0, ""},
		{"no key, a client", []Section{section("client noc", "functions *")}, noc, eth0, mapierr.AuthFailed, "[client noc] (F:10) has no key devices"},
		{"client", []Section{section("client noc", "devices eth0")}, noc, eth0, 0, ""},
		{"other client", []Section{section("client *", "devices eth0")}, noc, eth0, 0, ""},
		{"not an other client", []Section{section("client *", "devices eth0"), section("client noc", "devices eth1")}, noc, eth0, mapierr.AuthFailed, "[client noc]"},
		{"two sections", []Section{section("client noc", "devices eth1"), section("client noc", "devices eth0")}, noc, eth0, 0, ""},

		{"user before group: denied", []Section{section("group 5", "devices *"), section("user 1", "devices !eth0")}, ann, eth0, mapierr.AuthFailed, "[user 1]"},
		{"user before group: allowed", []Section{section("group 5", "devices !*"), section("user 1", "devices eth0")}, ann, eth0, 0, ""},
		{"user says nothing", []Section{section("group 5", "devices eth0"), section("user 1", "devices eth1")}, ann, eth0, 0, ""},
		{"group denies the rest", []Section{section("group 5", "devices * !eth0"), section("user 1", "devices eth1")}, ann, eth0, mapierr.AuthFailed, "[group 5]"},
		{"groups are joined", []Section{section("group 5", "devices eth1"), section("group 6", "devices eth0")}, ann, eth0, 0, ""},
		{"deny before allow", []Section{section("group 5", "devices eth0"), section("group 6", "devices !eth0")}, ann, eth0, mapierr.AuthFailed, "[group 6]"},
		{"other group", []Section{section("group 7", "devices !*")}, ann, eth0, 0, ""},
		{"other user", []Section{section("user *", "devices eth1")}, ann, eth0, mapierr.AuthFailed, "[user *]"},
		{"not another user: group", []Section{section("user *", "devices eth1"), section("group 5", "devices eth0")}, ann, eth0, 0, ""},
		{"not another user", []Section{section("user *", "devices !*"), section("user 1", "functions *")}, ann, eth0, 0, ""},

		{"function", []Section{section("user 1", "functions TO_FILE")}, ann, toFile, 0, ""},
		{"of a library", []Section{section("user 1", "functions stdflib:TO_FILE")}, ann, toFile, 0, ""},
		{"of another library", []Section{section("user 1", "functions lib:TO_FILE")}, ann, toFile, mapierr.AuthFailed, "function TO_FILE is not allowed"},
		{"denied function", []Section{section("user 1", "functions * !TO_FILE")}, ann, toFile, mapierr.AuthFailed, "function TO_FILE is denied"},
		{"denied in one library", []Section{section("user 1", "functions * !lib:TO_FILE")}, ann, toFile, 0, ""},
		{"another list", []Section{section("user 1", "devices eth1")}, ann, toFile, 0, ""},
		{"client without functions", []Section{section("client noc", "devices *")}, noc, toFile, mapierr.AuthFailed, "no key functions"},

		{"statistics of one's own", []Section{section("user 1", "devices eth0")}, ann, see("eth0"), 0, ""},
		{"statistics without capture", []Section{section("user 1", "devices !*", "statistics eth0")}, ann, see("eth0"), 0, ""},
		{"capture without the right", []Section{section("user 1", "devices !*", "statistics eth0")}, ann, eth0, mapierr.AuthFailed, ""},
		{"statistics of no list", []Section{section("user 1", "devices eth1", "statistics eth2")}, ann, see("eth0"), mapierr.AuthFailed, ""},
		{"capture without statistics", []Section{section("user 1", "devices eth0", "statistics !eth0")}, ann, see("eth0"), mapierr.AuthFailed, "the statistics of device eth0 is denied"},
		{"client without statistics", []Section{section("client noc", "functions *")}, noc, see("eth0"), mapierr.AuthFailed, ""},
		{"unknown client", []Section{section("user 1")}, noc, see("eth0"), mapierr.NoAuthData, ""},

		{"others as today", []Section{section("user 1", "devices eth0")}, ann, others, 0, ""},
		{"others, by all", []Section{section("user 1", "statistics *")}, ann, others, 0, ""},
		{"others, by one", []Section{section("user 1", "statistics eth0")}, ann, others, mapierr.AuthFailed, "what others do"},
		{"others, a client", []Section{section("client noc", "devices *")}, noc, others, mapierr.AuthFailed, ""},
		{"others, a client with the right", []Section{section("client noc", "statistics *")}, noc, others, 0, ""},

		{"capture files", []Section{section("user 1", "devices MFF_PCAP")}, ann, func(g *Grant) error { return g.Open("MFF_PCAP") }, 0, ""},
		{"no capture files", []Section{section("user 1", "devices * !MFF_PCAP")}, ann, func(g *Grant) error { return g.Open("MFF_PCAP") }, mapierr.AuthFailed, "device MFF_PCAP"},
	} {
		err := New("F", c.sections).For(c.who).check(c.ask)
		if mapierr.CodeOf(err, 0) != c.want || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %d %q", c.what, err, int(c.want), c.text)
		}
	}
}

func (g *Grant) check(ask func(*Grant) error) error { return ask(g) }

// TestBroken: a section that cannot be read allows nothing.
func TestBroken(t *testing.T) {
	s := section("group 5", "devices eth0")
	s.Broken = 13
	g := New("F", []Section{s}).For(ann)
	for _, err := range []error{g.Capture("eth0"), g.Apply("l", "F", false), g.See("eth0"), g.SeeOthers()} {
		if mapierr.CodeOf(err, 0) != mapierr.AuthFailed || !strings.Contains(err.Error(), "[group 5] (F:13) cannot be read") {
			t.Errorf("%v", err)
		}
	}
}

// TestForce: the lists of all sections are joined.
func TestForce(t *testing.T) {
	sections := []Section{section("group 5"), section("group 6"), section("user 1"), section("user 2")}
	for i := range sections {
		sections[i].Force = &Force{Line: 20 + i, Calls: []funccall.Call{{Name: "F" + sections[i].Name}}}
	}
	sections[1].Force = nil
	p := New("conf", sections)
	if calls := p.For(ann).Force(); len(calls) != 2 || calls[0].Name != "F1" || calls[1].Name != "F5" {
		t.Errorf("%v", calls)
	}
	if calls := p.For(Subject{UID: 3}).Force(); len(calls) > 0 {
		t.Errorf("%v", calls)
	}
}

// TestLimits: the limits of the user come first, then the largest of the groups. Of files there may
// be none.
func TestLimits(t *testing.T) {
	sections := []Section{section("group 5"), section("group 6"), section("user 1")}
	sections[0].Limits[account.Memory], sections[1].Limits[account.Memory] = Limit{11, 100}, Limit{11, 200}
	sections[0].Limits[account.Buffers], sections[2].Limits[account.Buffers] = Limit{12, 9}, Limit{12, 5}
	sections[2].Limits[account.WrittenFiles], sections[2].Limits[account.OfflineFiles] = Limit{13, 0}, Limit{14, 0}
	g := New("F", sections).For(ann)
	own := g.Limits()
	if len(own) != 4 || own[account.Memory] != (account.OwnLimit{Amount: 200, Key: "memory in [group 6] (F:11)"}) ||
		own[account.Buffers].Amount != 5 || own[account.WrittenFiles].Amount != 0 {
		t.Errorf("%+v", own)
	}
	for what, err := range map[string]error{
		"key written_files of [user 1] (F:13)": g.Apply("l", "TO_FILE", true),
		"key offline_files of [user 1] (F:14)": g.Open("MFF_PCAP"),
	} {
		if mapierr.CodeOf(err, 0) != mapierr.AuthFailed || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want %q", err, what)
		}
	}
	if err := g.Apply("l", "PKT_COUNTER", false); err != nil {
		t.Error(err)
	}
}

// TestNoPolicy: without sections everybody may do everything.
func TestNoPolicy(t *testing.T) {
	p := New("F", nil)
	for _, who := range []Subject{ann, noc, root} {
		g := p.For(who)
		if g != nil || g.Capture("x") != nil || g.Apply("l", "F", true) != nil || g.Open("MFF_PCAP") != nil ||
			g.See("x") != nil || g.SeeOthers() != nil || g.Force() != nil || g.Limits() != nil || p.ByGroup() {
			t.Errorf("%+v is restricted", who)
		}
	}
	if !New("F", []Section{section("group 5")}).ByGroup() || New("F", []Section{section("user 5")}).ByGroup() {
		t.Error("whether groups matter is wrong")
	}
}
