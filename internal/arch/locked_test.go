package arch

import (
	"go/ast"
	"strings"
	"testing"
)

// TestLocked: functions of the engine that need Engine.mu are named ...Locked, and called
// only by one another and by those that lock.
func TestLocked(t *testing.T) {
	n := 0
	eachFile(t, func(p *pkg, name string, f *ast.File) {
		if p.ImportPath != "gomapi/internal/engine" {
			return
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			needs, calls, locks := strings.HasSuffix(fn.Name.Name, "Locked"), "", false
			if says := strings.Contains(strings.Join(strings.Fields(fn.Doc.Text()), " "), "Engine.mu is held"); says && !needs {
				t.Errorf("%s: %s says that Engine.mu is held, and is not named so", name, fn.Name.Name)
			}
			ast.Inspect(fn.Body, func(x ast.Node) bool {
				if s, ok := x.(*ast.SelectorExpr); ok {
					if strings.HasSuffix(s.Sel.Name, "Locked") {
						calls = s.Sel.Name
					}
					mu, ok := s.X.(*ast.SelectorExpr)
					locks = locks || ok && mu.Sel.Name == "mu" && s.Sel.Name == "Lock"
				}
				return true
			})
			if n++; calls != "" && !needs && !locks {
				t.Errorf("%s: %s calls %s and does not lock", name, fn.Name.Name, calls)
			}
		}
	})
	if n == 0 {
		t.Error("no functions")
	}
}
