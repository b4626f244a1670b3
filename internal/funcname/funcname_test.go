package funcname

import (
	"errors"
	"strings"
	"testing"

	"gomapi/internal/mapierr"
)

func TestSplit(t *testing.T) {
	for name, want := range map[string][3]string{
		"F": {"", "F", ""}, "lib:F": {"lib", "F", ""}, "F!1.3": {"", "F", "1.3"}, "lib:F!1.3": {"lib", "F", "1.3"},
		":F": {"", "F", ""}, "a:b:F": {"a", "b:F", ""}, "F!1!2": {"", "F", "1!2"}, "": {"", "", ""},
	} {
		library, function, oid := Split(name)
		if got := [3]string{library, function, oid}; got != want || Plain(name) != want[1] {
			t.Errorf("%q is %q, plain %q, want %q", name, got, Plain(name), want)
		}
	}
}

func TestUnhidden(t *testing.T) {
	fault := errors.New("no such function")
	for name, marks := range map[string]bool{
		"ANONYMIZE": true, "anonflib:ANONYMIZE": true, "ANONYMIZE!1": true, "anonflib:ANONYMIZE!1.3": true, ":ANONYMIZE": true,
		"anonymize": true, "ANONYMIZEIP": true, "extraflib:ANONYMIZEIP": true,
		"BPF_FILTER": false, "ANONYMIZE:F": false, "F!ANONYMIZE": false, "": false,
	} {
		var u Unhidden
		u.Note(name, fault)
		if err := u.Err(7); (mapierr.CodeOf(err, 0) == mapierr.CouldNotInitFunction) != marks {
			t.Errorf("%q: %v", name, err)
		}
		u.Note(name, nil)
		if err := u.Err(7); err != nil {
			t.Errorf("%q, applied later: %v", name, err)
		}
	}
	var u Unhidden
	u.Note("ANONYMIZEIP", fault)
	u.Note("ANONYMIZE", errors.New(strings.Repeat("x", 1<<16)))
	if err := u.Err(7); !strings.Contains(err.Error(), "ANONYMIZE could not be applied to flow 7") || len(err.Error()) > 1000 {
		t.Errorf("%v", err)
	}
	u.Note("anonflib:ANONYMIZE", nil)
	u.Note("PKT_COUNTER", nil)
	if err := u.Err(7); err == nil || !strings.Contains(err.Error(), "ANONYMIZEIP could not be applied to flow 7 (no such function)") {
		t.Errorf("the other one remains: %v", err)
	}
}
