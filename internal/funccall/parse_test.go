package funccall

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

// values returns calls without the places in their text.
func values(calls []Call) (out [][]any) {
	for _, c := range calls {
		out = append(out, append([]any{c.Name}, c.Values()...))
	}
	return out
}

func TestParse(t *testing.T) {
	one := func(v ...any) [][]any { return [][]any{v} }
	for text, want := range map[string][][]any{
		`GAP`:                      one("GAP"),
		" GAP()\n":                 one("GAP"),
		"GAP(\t)":                  one("GAP"),
		`SAMPLE(20,PERIODIC)`:      one("SAMPLE", int64(20), int64(2)),
		`SAMPLE( 020 , 0X2 )`:      one("SAMPLE", int64(20), int64(2)),
		`BPF_FILTER("net 10/8")`:   one("BPF_FILTER", "net 10/8"),
		`stdflib:HASH!1.3(3)`:      one("stdflib:HASH!1.3", int64(3)),
		`F(-1,-0x80,-0)`:           one("F", int64(-1), int64(-128), int64(0)),
		`F(9223372036854775808)`:   one("F", uint64(1<<63)),
		`F(18446744073709551615)`:  one("F", uint64(math.MaxUint64)),
		`F(-9223372036854775808)`:  one("F", int64(math.MinInt64)),
		`F(9223372036854775807+0)`: one("F", int64(math.MaxInt64)),
		`F(TYPE_INT+TR_POLL,3+MFF_RAW,mapi.ThresholdUint64+mapi.ThresholdWindow)`: one("F", int64(65), int64(4), int64(130)),
		`F(AnyHeaders+3,mapi.PktSize)`:                                            one("F", int64(65539), int64(1)),
		`F(1.5s,+10s,5m,+0,-1us)`:                                                 one("F", "1.5s", "+10s", "5m", "+0", "-1us"),
		`F("")`:                                                                   one("F", ""),
		`F("a\"b\\c", "GET /||POST |0d 0a|")`:                                     one("F", `a"b\c`, "GET /||POST |0d 0a|"),
		`F("a\|b", "ether proto \ip", "\\\|", "\n")`:                              one("F", `a\|b`, `ether proto \ip`, `\\|`, `\n`),
		"F(\"a,b) \n\xff(\")":                                                     one("F", "a,b) \n\xff("),
		`F("@1",@2)`:                                                              one("F", "@1", Ref(2)),
		`A(1),B C ,D(2)E`:                                                         nil,
		`A(1),B C ,D(2) E`:                                                        {{"A", int64(1)}, {"B"}, {"C"}, {"D", int64(2)}, {"E"}},
		"A\nB()\n,\nC":                                                            {{"A"}, {"B"}, {"C"}},
	} {
		got, err := ParseRefs(text)
		if !reflect.DeepEqual(values(got), want) || (err == nil) != (want != nil) {
			t.Errorf("%s gives %q, %v, want %q", text, values(got), err, want)
		}
	}
}

// TestPlaces compares the places of calls and arguments with their text.
func TestPlaces(t *testing.T) {
	const text = ` A(11, "22") ,B( 33 )`
	calls, err := Parse(text)
	if err != nil || len(calls) != 2 {
		t.Fatal(calls, err)
	}
	for pos, want := range map[int]string{
		calls[0].Pos: "A", calls[0].Args[0].Pos: "11", calls[0].Args[1].Pos: `"22"`, calls[1].Pos: "B", calls[1].Args[0].Pos: "33",
	} {
		if !strings.HasPrefix(text[pos-1:], want) {
			t.Errorf("byte %d is %q, want %s", pos, text[pos-1:], want)
		}
	}
}

// TestErrors: each error names the place and the remedy.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                          "byte 1: a function is missing",
		`  `:                        "byte 3: a function is missing",
		`A,`:                        "byte 3: a function is missing",
		`,A`:                        "byte 1: a function is missing",
		`A,,B`:                      "byte 3: a function is missing",
		`(1)`:                       "byte 1: the name of a function must stand before the parenthesis",
		`A (1)`:                     "byte 3: the name of a function must stand before",
		`A(1)B`:                     "byte 5: separate functions with a comma or a blank",
		`A"x"`:                      "byte 2: separate functions",
		`A(1))`:                     "byte 5: separate functions",
		`A(1) )`:                    `byte 6: ")" is not the name of a function: write [LIBRARY:]NAME`,
		`7A`:                        `byte 1: "7A" is not the name`,
		`a:b:A`:                     `byte 1: "a:b:A" is not the name`,
		`:A`:                        `byte 1: ":A" is not the name`,
		`"A"`:                       `byte 1: "\"A\"" is not the name`,
		`SAMPLE(20`:                 `byte 10: the call of SAMPLE does not end: write ")"`,
		`SAMPLE(20,`:                "byte 11: an argument is missing: write a number, a constant or a text",
		`SAMPLE(`:                   "byte 8: an argument is missing",
		`SAMPLE(,2)`:                "byte 8: an argument is missing",
		`SAMPLE(20,)`:               "byte 11: an argument is missing",
		`SAMPLE(20 2)`:              "byte 11: separate arguments with commas",
		`F("a"b)`:                   "byte 6: separate arguments with commas",
		`HASH(G(1))`:                `byte 6: "G" is not a number, a time or a constant: put a text in double quotes`,
		`F(1,tcp)`:                  `byte 5: "tcp" is not a number`,
		`F('tcp')`:                  `byte 3: "'tcp'" is not a number`,
		`F(periodic)`:               `byte 3: "periodic" is not`,
		`F(mapi.PERIODIC)`:          `byte 3: "mapi.PERIODIC" is not`,
		`F(1+)`:                     `byte 3: "1+" is not`,
		`F(1+-1)`:                   `byte 3: "1+-1" is not`,
		`F(TR_POLL|TR_MW)`:          `byte 3: "TR_POLL|TR_MW" is not`,
		`F(0x)`:                     `byte 3: "0x" is not`,
		`F(--1)`:                    `byte 3: "--1" is not`,
		`F(18446744073709551616)`:   `byte 3: "18446744073709551616" is not`,
		`F(-9223372036854775809)`:   `byte 3: "-9223372036854775809" is not`,
		`F(9223372036854775807+1)`:  `byte 3: "9223372036854775807+1" is not`,
		`F(18446744073709551615+0)`: `byte 3: "18446744073709551615+0" is not`,
		`F("a`:                      `byte 3: the text does not end: write " behind it`,
		`F(1,"a\")`:                 `byte 5: the text does not end`,
		"F(\"a\x00\")":              "byte 5: a text has no NUL",
		`F(@1)`:                     "byte 3: a reference to another function is not possible here",
	} {
		if calls, err := Parse(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s gives %v, %v, want %s", text, calls, err, want)
		}
	}
	for _, ref := range []string{"@", "@0", "@x", "@-1", "@1+1", "@2147483648"} {
		if _, err := ParseRefs("F(" + ref + ")"); err == nil || !strings.HasPrefix(err.Error(), "byte 3: \""+ref+"\" is not a reference: use @1") {
			t.Errorf("%s gives %v", ref, err)
		}
	}
}

// FuzzParse: the calls of any text are the same when they are written and read again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`SAMPLE(20,PERIODIC), BPF_FILTER("net 10/8") PKT_COUNTER`, `STR_SEARCH("\"|0d|\|\\||x", 0x10, -1)`,
		`lib:F!1.3(@1,+10s,18446744073709551615,TYPE_INT+TR_MW)`, `F("`, `F(1,)`, "F(\"\x00\")", `A,,B`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		calls, err := ParseRefs(text)
		if err != nil {
			return
		}
		var written []string
		for _, c := range calls {
			written = append(written, c.String())
		}
		again, err := ParseRefs(strings.Join(written, ", "))
		if err != nil || !reflect.DeepEqual(values(again), values(calls)) {
			t.Errorf("%q is written as %q, which gives %q, %v", text, written, values(again), err)
		}
		if _, err := Parse(text); err != nil && !strings.Contains(text, "@") {
			t.Errorf("%q without references: %v", text, err)
		}
	})
}
