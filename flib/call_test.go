package flib

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
)

// checkCall checks the only call of a text.
func checkCall(t *testing.T, d *Def, text string) (Args, error) {
	t.Helper()
	calls, err := funccall.ParseRefs(text)
	if err != nil || len(calls) != 1 {
		t.Fatal(text, calls, err)
	}
	return d.CheckCall(&calls[0])
}

func TestCheckCall(t *testing.T) {
	d := Def{Name: "F", ExtraArgs: true, Args: []Arg{
		{Name: "number", Kind: Int, Min: 0, Max: 10},
		{Name: "wide", Kind: Uint64},
		{Name: "text", Kind: String},
		{Name: "interval", Kind: String, Number: true, Default: "0"},
		{Name: "timeout", Kind: Int, Unit: time.Millisecond, Default: int32(5)},
	}}
	for text, want := range map[string]any{ // arguments, or the text and number of the error
		`F(PERIODIC,18446744073709551615,"x")`: Args{int32(2), uint64(1<<64 - 1), "x", "0", int32(5)},
		`F(0,0,"80",80,1.5s)`:                  Args{int32(0), uint64(0), "80", "80", int32(1500)},
		`F(0,0,"",1m,7)`:                       Args{int32(0), uint64(0), "", "1m", int32(7)},
		`F`:                                    "7001 byte 1: F: argument 1 (number) is missing, the function takes (number int, ",
		` F(1,2)`:                              "7003 byte 2: F: argument 3 (text) is missing",
		`F(11,0,"")`:                           "7001 byte 3: F: argument 1 (number): 11 is not in 0..10",
		`F("x",0,"")`:                          `7001 byte 3: F: argument 1 (number): "x" is not a number: write a number or the name of a constant`,
		`F(0, 1s,"")`:                          `7002 byte 6: F: argument 2 (wide): "1s" is not a number`,
		`F(0,-1,"")`:                           "7002 byte 5: F: argument 2 (wide): -1 ",
		`F(0,0,80)`:                            "7003 byte 7: F: argument 3 (text): 80 is not a text: put it in double quotes",
		`F(0,0,@1)`:                            "7003 byte 7: F: argument 3 (text): @1 is not a text",
		`F(@1,0,"")`:                           "7001 byte 3: F: argument 1 (number): @1 ",
		`F(0,0,"",@1)`:                         "7004 byte 10: F: argument 4 (interval): @1 ",
		`F(0,0,"",0,1us)`:                      "7005 byte 12: F: argument 5 (timeout): 1µs is not a whole number",
		`F(0,0,"",0,1, 2)`:                     "7011 byte 15: F: 6 arguments given",
	} {
		args, err := checkCall(t, &d, text)
		if good, ok := want.(Args); ok {
			if err != nil || !reflect.DeepEqual(args, good) {
				t.Errorf("%s gives %v, %v, want %v", text, args, err, good)
			}
			continue
		}
		number, reason, _ := strings.Cut(want.(string), " ")
		if err == nil || !strings.HasPrefix(err.Error(), reason) || number != fmt.Sprint(int(mapierr.CodeOf(err, 0))) {
			t.Errorf("%s gives %v, error %v, want %s", text, args, err, want)
		}
	}
}

// TestCheckCallWithoutPrograms: what only programs have cannot be written, not even as a number,
// and is not called missing.
func TestCheckCallWithoutPrograms(t *testing.T) {
	for _, k := range []Kind{Flow, Func, Funcs, Flows, File} {
		d := Def{Name: "F", Args: []Arg{{Name: "a", Kind: Int}, {Name: "b", Kind: k}}}
		for _, text := range []string{"F(1,1)", `F(1,"1@1")`, "F(1,@1)", "F(1)"} {
			_, err := checkCall(t, &d, text)
			if mapierr.CodeOf(err, 0) != 7002 || !strings.Contains(err.Error(), "the text of a call has no "+k.String()) {
				t.Errorf("%s for a %v: %v", text, k, err)
			}
		}
	}
}
