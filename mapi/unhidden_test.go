package mapi_test

import (
	"strings"
	"testing"

	"gomapi/mapi"
)

// TestNotAnonymous checks that a flow to which an anonymizing function could
// not be applied delivers no packets, even if the program ignores the error.
func TestNotAnonymous(t *testing.T) {
	c := client(t)
	for _, name := range []string{"ANONYMIZE", "anonflib:ANONYMIZE", "ANONYMIZE!1", "anonymize", "extraflib:ANONYMIZEIP", strings.Repeat("x", 300) + ":ANONYMIZE"} {
		for what, args := range map[string][]any{
			"a rule": {"IP, SRC_IP, MAP"}, "no rule": nil, "no text": {"\x00"}, "what cannot be sent": {struct{}{}}, "too much": {make([]byte, 1<<17)},
		} {
			f, err := c.CreateFlow(t.Context(), "net0")
			must(err)
			must(second(f.Apply(t.Context(), "BPF_FILTER", "tcp")))
			_, failed := f.Apply(t.Context(), name, args...)
			if failed == nil {
				t.Fatalf("%s was applied", name)
			}
			must(second(f.Apply(t.Context(), "TO_BUFFER")))
			for range 2 {
				err = f.Connect(t.Context())
				wantCode(t, name+" with "+what, err, mapi.ErrCouldNotInitFunction)
			}
			if err != nil && !strings.Contains(err.Error(), "ANONYMIZE") || f.Status() != mapi.FlowInit {
				t.Errorf("%v; the flow is %v", err, f.Status())
			}
			must(f.Close(t.Context()))
		}
	}
	counting(t, c, "net0", "") // other flows are unaffected
}

// TestNotAnonymousByNumber checks the same with the calls of the original.
func TestNotAnonymousByNumber(t *testing.T) {
	fd, err := mapi.CreateFlow("net0")
	must(err)
	mapi.ApplyFunctionArray(fd, "ANONYMIZE", []string{"IP, DST_IP, MAP"})
	must(second(mapi.ApplyFunction(fd, "TO_BUFFER")))
	wantCode(t, "connect", mapi.Connect(fd), mapi.ErrCouldNotInitFunction)
	must(mapi.CloseFlow(fd))
}
