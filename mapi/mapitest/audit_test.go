package mapitest

import (
	"errors"
	"testing"

	"gomapi/mapi"
)

func TestVerdict(t *testing.T) {
	passed := []mapi.Counter{{Name: "passed", Value: 7}}
	for _, c := range []struct {
		books *mapi.Books
		good  bool
	}{
		{nil, true},
		{&mapi.Books{In: 7, Out: passed}, true},
		{&mapi.Books{In: 8, Out: passed, Moved: 1}, true},
		{&mapi.Books{In: 8, Out: passed}, false},
		{&mapi.Books{In: 6, Out: passed}, false},
	} {
		if err := verdict("flow 1", c.books); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.books, err)
		}
	}
}

// TestFaultsOfEndedDevices checks that Close reports them.
func TestFaultsOfEndedDevices(t *testing.T) {
	d, err := New()
	if err != nil {
		t.Fatal(err)
	}
	fault := errors.New("a packet is missing")
	d.faults = append(d.faults, fault)
	if err := d.Close(); !errors.Is(err, fault) {
		t.Error(err)
	}
}
