package stdflib

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"gomapi/flib"
	"gomapi/internal/funccall"
)

// originals are the functions of the original in its order, with their argument letters
// and whether they drop packets. Here BURST has one more argument, which may be omitted,
// and THRESHOLD has the eight of its man page instead of the nine that the original
// declares.
var originals = []struct {
	name, args string
	filters    bool
}{
	{"HASH", "i", false},
	{"BINOP", "irfrf", false},
	{"BPF_FILTER", "s", true},
	{"BUCKET", "rfsi", false},
	{"BURST", "iiiiiii" + "i", false},
	{"BYTE_COUNTER", "", false},
	{"DIST", "rfsss", false},
	{"GAP", "", false},
	{"HASHSAMP", "ii", true},
	{"PKT_COUNTER", "", false},
	{"PKTINFO", "i", false},
	{"RES2FILE", "sSswsi", false},
	{"SAMPLE", "ii", true},
	{"STARTSTOP", "ss", true},
	{"STATS", "rfs", false},
	{"STR_SEARCH", "sii", true},
	{"SYNC", "s", true},
	{"THRESHOLD", "irfliiii", false},
	{"TO_FILE", "iwl", false},
	{"TO_BUFFER", "i", false},
}

func TestFunctionsOfTheOriginal(t *testing.T) {
	defs := Library().Functions
	if len(defs) != len(originals) {
		t.Fatalf("%d functions, want %d", len(defs), len(originals))
	}
	for i, o := range originals {
		d := &defs[i]
		if d.Name != o.name || d.Descr() != o.args || d.Filters != o.filters {
			t.Errorf("function %d is %s(%s), filters %v; want %+v", i, d.Name, d.Descr(), d.Filters, o)
		}
		if d.Modifies || d.DevType != "" {
			t.Errorf("%s: changes packets %v, is for devices %q", d.Name, d.Modifies, d.DevType)
		}
	}
}

// TestDefinitions checks that the definitions are complete, because people and programs
// learn everything about a function from them.
func TestDefinitions(t *testing.T) {
	for _, d := range Library().Functions {
		if d.New == nil {
			t.Errorf("%s has no constructor", d.Name)
		}
		sentences(t, d.Name, "description", d.Description)
		names, optional := make(map[string]bool), false
		for _, a := range d.Args {
			if a.Name == "" || a.Doc == "" || names[a.Name] || a.Doc != strings.TrimSpace(a.Doc) {
				t.Errorf("%s: argument %q lacks a name of its own or a text", d.Name, a.Name)
			}
			if optional && a.Default == nil {
				t.Errorf("%s: argument %q must be given behind one that need not", d.Name, a.Name)
			}
			names[a.Name], optional = true, a.Default != nil
		}
		example(t, &d)
	}
}

// sentences checks that a text consists of whole sentences.
func sentences(t *testing.T, name, what, text string) {
	t.Helper()
	if text == "" || text != strings.TrimSpace(text) || !strings.HasSuffix(text, ".") {
		t.Errorf("%s: its %s is %q, no sentence", name, what, text)
	}
}

// example checks that the example of d is a Go expression that applies d with a valid
// number of arguments. A reference stands for a flow and a function.
func example(t *testing.T, d *flib.Def) {
	t.Helper()
	expr, err := parser.ParseExpr(d.Example)
	call, ok := expr.(*ast.CallExpr)
	if err != nil || !ok || len(call.Args) < 2 {
		t.Errorf("%s: the example %s is no call, %v", d.Name, d.Example, err)
		return
	}
	fn, _ := call.Fun.(*ast.SelectorExpr)
	if name, ok := call.Args[1].(*ast.BasicLit); !ok || name.Value != `"`+d.Name+`"` || fn == nil || fn.Sel.Name != "Apply" {
		t.Errorf("%s: the example %s does not apply it", d.Name, d.Example)
	}
	most := len(d.Args) - strings.Count(d.Descr(), "rf")
	least := most
	for _, a := range d.Args {
		if a.Default != nil {
			least--
		}
	}
	if given := len(call.Args) - 2; given < least || given > most {
		t.Errorf("%s: the example %s gives %d arguments, it takes %d to %d", d.Name, d.Example, given, least, most)
	}
	exampleAsText(t, d, call.Args[2:])
}

// exampleAsText checks that the example as text is the same call, and that it is valid unless it
// has what only a program has.
func exampleAsText(t *testing.T, d *flib.Def, args []ast.Expr) {
	t.Helper()
	calls, err := funccall.ParseRefs(d.Call)
	if err != nil || len(calls) != 1 || calls[0].Name != d.Name || len(calls[0].Args) != len(args) {
		t.Errorf("%s: as text, the example is %s: %v", d.Name, d.Call, err)
		return
	}
	for i, v := range calls[0].Values() {
		if want := asText(t, args[i]); want != "" && fmt.Sprint(v) != want {
			t.Errorf("%s: in %s, argument %d is %v; in %s it is %s", d.Name, d.Call, i+1, v, d.Example, want)
		}
	}
	if strings.ContainsAny(d.Descr(), "rfSw") || d.Name == "SYNC" {
		return
	}
	if _, err := d.CheckCall(&calls[0]); err != nil {
		t.Errorf("%s: %s: %v", d.Name, d.Call, err)
	}
}

// asText is the value of an argument of a Go call as text, "" for a flow or function.
func asText(t *testing.T, arg ast.Expr) string {
	t.Helper()
	var source strings.Builder
	if err := printer.Fprint(&source, token.NewFileSet(), arg); err != nil {
		t.Fatal(err)
	}
	switch a := arg.(type) {
	case *ast.Ident, *ast.CompositeLit:
		return ""
	case *ast.BasicLit:
		if a.Kind == token.STRING {
			text, _ := strconv.Unquote(a.Value)
			return text
		}
	}
	n, ok := funccall.Number(strings.NewReplacer(" ", "", "_", "").Replace(source.String()))
	if !ok {
		t.Errorf("%s is not a number", source.String())
	}
	return fmt.Sprint(n)
}
