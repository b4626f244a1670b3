package config

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gomapi/internal/account"
	"gomapi/internal/policy"
)

// TestShippedFile loads the installed file.
func TestShippedFile(t *testing.T) {
	cfg, problems, err := Load("../../etc/mapi.conf", build)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 0 {
		t.Errorf("problems: %v", problems)
	}
	if len(cfg.Devices) == 0 || len(cfg.Formats) == 0 {
		t.Errorf("nothing to serve: %+v", cfg)
	}
}

// limitNames are the keys of [limits] in the order of their kinds.
func limitNames() (keys []string) {
	for _, k := range account.Kinds() {
		keys = append(keys, k.String(), "user_"+k.String())
	}
	return keys
}

// accessKeys are the keys of [user], [group] and [client].
func accessKeys() []string {
	keys := []string{"identity"}
	for k := range policy.Key(len(policy.Section{}.Lists)) {
		keys = append(keys, k.String())
	}
	keys = append(keys, "force")
	for _, k := range account.Kinds() {
		keys = append(keys, k.String())
	}
	return keys
}

// TestDocumentedKeys compares the tables of docs/config.md with the keys that
// the code knows.
func TestDocumentedKeys(t *testing.T) {
	text, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	heading := regexp.MustCompile("^## [^`]*`\\[([a-z ]+)\\]`")
	row := regexp.MustCompile("^\\| `([A-Za-z_]+)` \\|")
	got := map[string][]string{}
	section := "global"
	for _, line := range regexp.MustCompile("\n").Split(string(text), -1) {
		if m := heading.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if m := row.FindStringSubmatch(line); m != nil {
			got[section] = append(got[section], m[1])
		}
	}
	want := map[string][]string{
		"global": globalKeys,
		"driver": slices.Concat(driverKeys, driverParams["mapinicdrv"], driverParams["mapivindrv"]),
		"format": formatKeys,
		"limits": limitNames(),
		"user":   accessKeys(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-code +docs/config.md):\n%s", diff)
	}
}
