package acceptance

import (
	"slices"
	"testing"

	"gomapi/internal/books"
	"gomapi/mapi"
)

// balanced checks that the books of a device, of the client's flows on it and
// of their functions balance exactly, and that their lines are in the glossary.
// No packet may be in transit.
func balanced(t *testing.T, client *mapi.Client, device string) {
	t.Helper()
	b, err := client.Books(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	checkStage(t, device, &b)
	flows, err := client.Flows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flows {
		if f.Device != device || f.Books == nil {
			continue
		}
		checkStage(t, device+" flow", f.Books)
		functions, err := client.FlowFunctions(t.Context(), f.FD)
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range functions {
			if fn.Books != nil {
				checkStage(t, device+" "+fn.Name, fn.Books)
			}
		}
	}
}

func checkStage(t *testing.T, stage string, b *mapi.Books) {
	t.Helper()
	if b.Moved != 0 || !b.Balances() {
		t.Errorf("%s: %+v: %d missing", stage, *b, b.Missing())
	}
	for _, l := range slices.Concat(b.Out, b.Notes) {
		if !slices.ContainsFunc(books.Glossary(), func(e books.Entry) bool { return e.Name == l.Name }) {
			t.Errorf("%s: line %q is not in the glossary", stage, l.Name)
		}
	}
}
