package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// goAPI describes what a package exports: constants with their values, variables,
// functions, and types with their fields and methods. The types include aliases of types
// in other packages of the module.
func goAPI(t *testing.T, path string) (lines []string) {
	t.Helper()
	p, err := importer.ForCompiler(token.NewFileSet(), "gc", exported(t, path)).Import(path)
	if err != nil {
		t.Fatal(err)
	}
	within := types.RelativeTo(p)
	for _, name := range p.Scope().Names() {
		obj := p.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch o := obj.(type) {
		case *types.Const:
			lines = append(lines, fmt.Sprintf("const %s %s = %s", name, types.TypeString(o.Type(), within), o.Val().ExactString()))
		case *types.TypeName:
			lines = append(lines, typeAPI(o, within)...)
		default: // a function or variable
			lines = append(lines, types.ObjectString(obj, within))
		}
	}
	slices.Sort(lines)
	return lines
}

// exported finds the compiler's export data of a package and of all its dependencies.
func exported(t *testing.T, path string) importer.Lookup {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export", path).Output()
	if err != nil {
		t.Fatalf("go list -export %s: %v", path, err)
	}
	files := make(map[string]string)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ ImportPath, Export string }
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		files[p.ImportPath] = p.Export
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

func typeAPI(o *types.TypeName, within types.Qualifier) (lines []string) {
	name, kind := o.Name(), o.Type().Underlying()
	head := "type " + name
	if o.IsAlias() {
		head += " = " + types.TypeString(types.Unalias(o.Type()), within)
	}
	switch k := kind.(type) {
	case *types.Struct:
		lines = append(lines, head+" struct")
		for f := range k.Fields() {
			if f.Exported() {
				lines = append(lines, fmt.Sprintf("field %s.%s %s", name, f.Name(), types.TypeString(f.Type(), within)))
			}
		}
	case *types.Interface:
		lines = append(lines, head+" interface")
	default:
		lines = append(lines, head+" "+types.TypeString(kind, within))
	}
	methods := types.NewMethodSet(o.Type())
	if !types.IsInterface(o.Type()) {
		methods = types.NewMethodSet(types.NewPointer(o.Type()))
	}
	for m := range methods.Methods() {
		if f := m.Obj(); f.Exported() {
			signature := strings.TrimPrefix(types.TypeString(f.Type(), within), "func")
			lines = append(lines, fmt.Sprintf("method %s.%s%s", name, f.Name(), signature))
		}
	}
	return lines
}
