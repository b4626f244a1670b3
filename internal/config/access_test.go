package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gomapi/internal/account"
	"gomapi/internal/funccall"
	"gomapi/internal/policy"
)

const devices = "[driver]\ndevice=eth0\ndriver=mapinicdrv\nalias=up link\n"

// access loads a file with a device and some sections, which begin in line 5.
func access(t *testing.T, text string) ([]policy.Section, []string) {
	t.Helper()
	cfg, problems := load(t, devices+text)
	var texts []string
	for _, p := range problems {
		texts = append(texts, strings.TrimPrefix(p.String(), p.File+":"))
	}
	return cfg.Access, texts
}

func TestAccess(t *testing.T) {
	got, problems := access(t, `[user ann]
devices = eth0, up link, MFF_PCAP
functions = *, !TO_FILE,!stdflib:RES2FILE
memory=64M
written_files=0
[group lab]
statistics=*
force=SAMPLE(20,PERIODIC), BPF_FILTER("net 10/8")
[user *]
functions=!*
[client noc]
identity=CN=noc.example.org
devices=eth0
[client  CN=x y]
`)
	id := func(n uint32) *uint32 { return &n }
	calls, err := funccall.Parse(`SAMPLE(20,PERIODIC), BPF_FILTER("net 10/8")`)
	if err != nil {
		t.Fatal(err)
	}
	want := []policy.Section{
		{Kind: policy.User, Name: "ann", Line: 5, ID: id(1000), Identity: "ann", Lists: [3]*policy.List{
			policy.Devices:   {Line: 6, Allow: []string{"eth0", "up link", "MFF_PCAP"}},
			policy.Functions: {Line: 7, Allow: []string{"*"}, Deny: []string{"TO_FILE", "stdflib:RES2FILE"}},
		}, Limits: map[account.Kind]policy.Limit{account.Memory: {Line: 8, Amount: 64 << 20}, account.WrittenFiles: {Line: 9}}},
		{Kind: policy.Group, Name: "lab", Line: 10, ID: id(51), Identity: "lab",
			Lists: [3]*policy.List{policy.Statistics: {Line: 11, Allow: []string{"*"}}},
			Force: &policy.Force{Line: 12, Calls: calls}},
		{Kind: policy.User, Name: "*", Line: 13, Others: true, Identity: "*",
			Lists: [3]*policy.List{policy.Functions: {Line: 14, Deny: []string{"*"}}}},
		{Kind: policy.Client, Name: "noc", Line: 15, Identity: "CN=noc.example.org",
			Lists: [3]*policy.List{policy.Devices: {Line: 17, Allow: []string{"eth0"}}}},
		{Kind: policy.Client, Name: "CN=x y", Line: 18, Identity: "CN=x y"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(policy.Section{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	if len(problems) != 0 {
		t.Errorf("problems: %q", problems)
	}
}

// TestAccessMistakes: each mistake is reported with its line, and none allows more than was meant.
func TestAccessMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"[user nobody]\n":                            "5: section [user nobody] is for nobody: there is no user nobody",
		"[group ann]\n":                              "5: section [group ann] is for nobody: there is no group ann",
		"[group *]\n":                                "5: section [group *] is for nobody: use [user *] for users whom no other section names",
		"[user]\n":                                   "5: section [user] has no name: write [user NAME]; it is for nobody",
		"[user ann]\n[user ann]\n":                   "6: warning: section [user ann] already occurs in line 5: both count",
		"[user ann]\ncolour=red\n":                   "6: warning: unknown key colour in [user ann]: it is ignored",
		"[user ann]\nidentity=x\n":                   "6: warning: unknown key identity in [user ann]: it is ignored",
		"[user ann]\ndevices=\n":                     "6: devices has no value: it allows nothing, which is written devices=!*",
		"[user ann]\nmemory=\n":                      "6: warning: memory has no value: it is ignored",
		"[user ann]\ndevices=eth0,,eth0,\n":          "6: warning: devices has an empty item: it is ignored",
		"[user ann]\ndevices=eth0,!eth0\n":           `6: warning: devices allows and denies "eth0": it is denied`,
		"[user ann]\ndevices=eth7\n":                 `6: warning: no [driver] section has a device "eth7"`,
		"[user ann]\nstatistics=*,!eth7\n":           `6: warning: no [driver] section has a device "eth7"`,
		"[user ann]\nfunctions=!TO_FILE\n":           "6: warning: functions only denies, so it allows nothing: add * to allow the rest",
		"[client x]\ndevices=!eth0\n[group lab]\n":   "6: warning: devices only denies, so it allows nothing: add * to allow the rest",
		"[user ann]\ndevices=!eth0\n[group lab]\n":   "", // a group may allow the rest
		"[user ann]\nmemory=0\n":                     "6: memory=0 is not a number of bytes from 1 on, which may end in K, M, G or T: the default is used",
		"[user ann]\nbuffers=-1\n":                   "6: buffers=-1 is not a number from 0 on: the default is used",
		"[user ann]\nconnections=0\n":                "6: connections=0 is not a number from 1 on: the default is used",
		"[user ann]\nbuffers=0\noffline_files=0\n":   "",
		"[driver]\ndevice=a\ndriver=mapinicdrv\n[x]": "8: warning: unknown section [x]: it is ignored",
	} {
		if _, got := access(t, text); strings.Join(got, "\n") != want {
			t.Errorf("%q:\n\t%q, want\n\t%q", text, got, want)
		}
	}
}

// TestBrokenSections: a section with a line that cannot be read has a mark, others have not.
func TestBrokenSections(t *testing.T) {
	got, problems := access(t, "[user ann]\ndevices=eth0\n[user bob]\ndevices=eth0,"+strings.Repeat(" ", maxLine)+"!x\nstray\n[client x]\n")
	if len(got) != 3 || got[0].Broken != 0 || got[1].Broken != 8 || got[2].Broken != 0 || len(problems) != 2 {
		t.Errorf("%+v, %q", got, problems)
	}
}

// TestForceThatCannotBeRead: the section allows nothing, because its flows must never be without
// what was to be forced.
func TestForceThatCannotBeRead(t *testing.T) {
	for _, force := range []string{"", "BPF_FILTER(udp", "SAMPLE(2, NEVER)", "BINOP(0, @1, @2)"} {
		got, problems := access(t, "[user ann]\ndevices=eth0\nforce="+force+"\n")
		if len(got) != 1 || got[0].Broken != 7 || got[0].Force != nil || len(problems) != 1 || !strings.Contains(problems[0], "allows nothing") {
			t.Errorf("force=%s: %+v, %q", force, got, problems)
		}
	}
}
