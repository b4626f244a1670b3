package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gomapi/mapi"
)

// textWidth is the width of the documentation of a function, in characters.
const textWidth = 78

func (t *tool) functionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "functions [NAME]",
		Short: "Show the functions, or the full description of one",
		Long: `Show the functions that can be applied to flows, one on each line. With NAME, or
LIBRARY:NAME, show the full description of that function, with the fields of its
result: name, type, unit, and the arguments with which they are there.

The column ARGS has a letter for each argument: s string, i int, l uint64, c char,
w file, r flow, f function of the flow in the argument before it, S list of functions.`,
		Args: func(_ *cobra.Command, rest []string) error {
			if len(rest) > 1 {
				return usageError{fmt.Errorf("unexpected argument %q: only one function at a time", rest[1])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			s := t.functions
			if len(names) > 0 {
				s = func(ctx context.Context, client *mapi.Client) error { return t.function(ctx, client, names[0]) }
			}
			return t.show(cmd.Context(), anyDaemon, s)
		},
	}
}

// A functionObject is a function in JSON.
type functionObject struct {
	Kind        string           `json:"kind"`
	Library     string           `json:"library"`
	ID          int              `json:"id"`
	Name        string           `json:"name"`
	ArgDescr    string           `json:"argdescr"`
	Args        []argumentObject `json:"args"`
	Result      string           `json:"result"`
	Fields      []fieldObject    `json:"fields"`
	Text        string           `json:"text"`
	DeviceType  string           `json:"device_type"`
	Description string           `json:"description"`
	Example     string           `json:"example"`
	Call        string           `json:"call"`
}

type argumentObject struct {
	Name string `json:"name"`
	Kind string `json:"type"`
	Doc  string `json:"doc"`

	Optional bool   `json:"optional"`
	Default  string `json:"default"` // of an optional argument
	Range    string `json:"range"`   // empty: see doc
	Added    bool   `json:"added"`   // not part of the original
}

// A fieldObject is a part of a result.
type fieldObject struct {
	Name     string           `json:"name"`
	Kind     string           `json:"type"`
	Unit     string           `json:"unit"`
	When     string           `json:"when"`
	Optional bool             `json:"optional"`
	Hidden   bool             `json:"hidden"`
	Words    map[int64]string `json:"words,omitempty"`
	Rows     []fieldObject    `json:"rows,omitempty"`
}

func fieldObjects(fields []mapi.ResultField) []fieldObject {
	list := []fieldObject{}
	for _, f := range fields {
		list = append(list, fieldObject{f.Name, f.Kind, f.Unit, f.When, f.Optional, f.Hidden, f.Words, fieldObjects(f.Rows)})
	}
	return list
}

// A definition is a function with its library.
type definition struct {
	library string
	mapi.LibFunctInfo
}

func (d definition) object() functionObject {
	o := functionObject{
		Kind: "function", Library: d.library, ID: d.ID, Name: d.Name, ArgDescr: d.ArgDescr,
		Args: []argumentObject{}, Result: d.Result, Fields: fieldObjects(d.Fields), Text: d.Text, DeviceType: d.DevType, Description: d.Description, Example: d.Example, Call: d.Call,
	}
	for _, a := range d.Args {
		o.Args = append(o.Args, argumentObject(a))
	}
	return o
}

// definitions returns all functions, ordered by library.
func definitions(ctx context.Context, client *mapi.Client) ([]definition, error) {
	libs, err := client.Libraries(ctx)
	if err != nil {
		return nil, err
	}
	var all []definition
	for _, lib := range libs {
		functions, err := client.LibraryFunctions(ctx, lib.ID)
		if err != nil {
			return nil, err
		}
		for _, f := range functions {
			all = append(all, definition{lib.Name, f})
		}
	}
	return all, nil
}

// functions shows one line for each function.
func (t *tool) functions(ctx context.Context, client *mapi.Client) error {
	all, err := definitions(ctx, client)
	if err != nil {
		return err
	}
	if t.json {
		return t.functionObjects(all)
	}
	tab := newTable(t.stdout, "", "FUNCTION", "ARGS", "ARGUMENTS", "LIBRARY", "DESCRIPTION")
	for _, d := range all {
		tab.row(d.Name, d.ArgDescr, arguments(d.Args), d.library, firstSentence(d.Description))
	}
	return tab.flush()
}

func (t *tool) functionObjects(all []definition) error {
	for _, d := range all {
		if err := writeJSON(t.stdout, d.object()); err != nil {
			return err
		}
	}
	return nil
}

// function shows the documentation of all functions with this name: one, or
// several for different device types.
func (t *tool) function(ctx context.Context, client *mapi.Client, name string) error {
	all, err := definitions(ctx, client)
	if err != nil {
		return err
	}
	var found []definition
	for _, d := range all {
		if strings.EqualFold(name, d.Name) || strings.EqualFold(name, d.library+":"+d.Name) {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("the daemon has no function %s: see \"mapi info functions\"", name)
	}
	if t.json {
		return t.functionObjects(found)
	}
	var b strings.Builder
	for _, d := range found {
		d.document(&b)
	}
	_, err = io.WriteString(t.stdout, b.String())
	return err
}

// document writes the documentation of a function.
func (d definition) document(b *strings.Builder) {
	fmt.Fprintf(b, "%s(%s)    library %s\n\n%s", d.Name, arguments(d.Args), d.library, wrap("    ", d.Description))
	if len(d.Args) > 0 {
		b.WriteString("\nArguments\n")
	}
	for _, a := range d.Args {
		fmt.Fprintf(b, "    %s (%s)\n%s", a.Name, kind(a), wrap("        ", a.Doc))
	}
	fmt.Fprintf(b, "\nResult\n%s", wrap("    ", cmp.Or(d.Result, "none")))
	if len(d.Fields) > 0 {
		b.WriteString("\nFields\n")
		documentFields(b, "    ", d.Fields)
	}
	fmt.Fprintf(b, "\nDevices\n    %s\n", deviceType(d.DevType))
	if d.Example != "" {
		fmt.Fprintf(b, "\nExample\n    %s\n", strings.ReplaceAll(strings.TrimSpace(d.Example+"\n"+d.Call), "\n", "\n    "))
	}
}

// documentFields writes a line for each field, with the fields of a list below it.
func documentFields(b *strings.Builder, indent string, fields []mapi.ResultField) {
	for i, f := range fields {
		if i > 0 && f.When == "" && f.Name != "" && f.Name == fields[i-1].Name {
			fmt.Fprintf(b, "%sotherwise ", indent)
		} else {
			b.WriteString(indent)
		}
		fmt.Fprintf(b, "%s (%s)\n", cmp.Or(f.Name, "unused"), strings.Join(properties(f), ", "))
		documentFields(b, indent+"    ", f.Rows)
	}
}

// properties describes the type of a field, its unit, words and condition.
func properties(f mapi.ResultField) []string {
	list := []string{f.Kind}
	switch {
	case f.Unit == targetUnit:
		list = append(list, "unit of the function that it reads")
	case f.Unit != "" && f.Kind != "rows":
		list = append(list, f.Unit)
	}
	for _, n := range slices.Sorted(maps.Keys(f.Words)) {
		list = append(list, fmt.Sprintf("%d: %s", n, f.Words[n]))
	}
	if f.When != "" {
		list = append(list, "if "+f.When)
	}
	if f.Optional {
		list = append(list, "all bits set: none")
	}
	if f.Hidden {
		list = append(list, "not in JSON")
	}
	return list
}

// kind describes the type of an argument, with its range and default.
func kind(a mapi.ArgInfo) string {
	text := a.Kind
	if a.Range != "" {
		text += ", " + a.Range
	}
	if a.Optional {
		text += ", " + a.Default + " if omitted"
	}
	return text
}

// arguments lists names and types.
func arguments(args []mapi.ArgInfo) string {
	var list []string
	for _, a := range args {
		list = append(list, a.Name+" "+a.Kind)
	}
	return strings.Join(list, ", ")
}

// deviceType describes a node in the tree of device types, whose root is 1.
func deviceType(place string) string {
	if place == "" || place == "1" {
		return "any"
	}
	return "of type " + place
}

// firstSentence returns the short form of a description.
func firstSentence(s string) string {
	if end := strings.Index(s, ". "); end >= 0 {
		return s[:end+1]
	}
	return s
}

// wrap breaks text into lines of textWidth at most, each behind indent.
func wrap(indent, text string) string {
	var b strings.Builder
	width := 0
	for _, word := range strings.Fields(text) {
		switch n := len([]rune(word)); {
		case width == 0:
			b.WriteString(indent + word)
			width = len(indent) + n
		case width+1+n > textWidth:
			b.WriteString("\n" + indent + word)
			width = len(indent) + n
		default:
			b.WriteString(" " + word)
			width += 1 + n
		}
	}
	b.WriteString("\n")
	return b.String()
}
