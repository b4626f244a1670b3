package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// upward bounds the references that run against the order of reading, from a file to one
// that stands below it in the list of the package comment, each pair of files counted once.
// A bound falls, unless a new part of the contract cannot do without the reference.
var upward = map[string]int{
	"gomapi/internal/chain":    4,
	"gomapi/internal/compact":  0,
	"gomapi/internal/datapath": 0,
	"gomapi/internal/engine":   26,
	"gomapi/internal/segment":  1,
}

func TestFilesStandInTheOrderOfReading(t *testing.T) {
	for _, p := range packages(t) {
		most, ok := upward[p.ImportPath]
		if !ok {
			continue
		}
		fset, files := parseFiles(t, p)
		order := readingOrder(files)
		if len(files) == 1 {
			order = slices.Collect(maps.Keys(files))
		}
		for name := range files {
			if !slices.Contains(order, name) {
				t.Errorf("%s: the list of files in the package comment does not have %s", p.ImportPath, name)
			}
		}
		for _, name := range order {
			if files[name] == nil {
				t.Errorf("%s: the list of files in the package comment has %s, which is not there", p.ImportPath, name)
			}
		}
		all := arrows(fset, files)
		var against []string
		for _, a := range all {
			if slices.Index(order, a.from) < slices.Index(order, a.to) {
				against = append(against, fmt.Sprintf("%s -> %s (%s)", a.from, a.to, a.what))
			}
		}
		t.Logf("%s: %d of %d run against the order", p.ImportPath, len(against), len(all))
		if len(against) != most {
			t.Errorf("%s: %d references run against the order of files, the bound is %d; if they are fewer, lower it:\n\t%s",
				p.ImportPath, len(against), most, strings.Join(against, "\n\t"))
		}
	}
}

// parseFiles parses the files of a package, by name.
func parseFiles(t *testing.T, p *pkg) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	fset, files := token.NewFileSet(), make(map[string]*ast.File)
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = f
	}
	return fset, files
}

var fileNames = regexp.MustCompile(`\b\w+\.go\b`)

// readingOrder returns the files that the package comment lists, the first to be read
// first: the lines that are indented and begin with a file.
func readingOrder(files map[string]*ast.File) (order []string) {
	for _, f := range files {
		for line := range strings.Lines(f.Doc.Text()) {
			if text, ok := strings.CutPrefix(line, "\t"); ok {
				names, _, _ := strings.Cut(text, "  ")
				order = append(order, fileNames.FindAllString(names, -1)...)
			}
		}
	}
	return order
}

// An arrow says that a file refers to what another one declares.
type arrow struct{ from, to, what string }

// arrows returns those between the files of a package, one for each pair, sorted. Methods
// and fields count where they are declared. What other packages export is not looked at.
func arrows(fset *token.FileSet, files map[string]*ast.File) (all []arrow) {
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	conf := types.Config{Importer: nothing{}, Error: func(error) {}, FakeImportC: true}
	parsed := slices.SortedFunc(maps.Values(files), func(a, b *ast.File) int { return int(a.Pos() - b.Pos()) })
	_, _ = conf.Check("p", fset, parsed, info) // other packages are not there: errors, which say nothing
	known := make(map[[2]string]string)
	for id, obj := range info.Uses {
		if _, ok := obj.(*types.PkgName); ok || !obj.Pos().IsValid() {
			continue
		}
		from, to := filepath.Base(fset.Position(id.Pos()).Filename), filepath.Base(fset.Position(obj.Pos()).Filename)
		if pair := [2]string{from, to}; from != to && (known[pair] == "" || obj.Name() < known[pair]) {
			known[pair] = obj.Name()
		}
	}
	for pair, what := range known {
		all = append(all, arrow{pair[0], pair[1], what})
	}
	slices.SortFunc(all, func(a, b arrow) int { return strings.Compare(a.from+" "+a.to, b.from+" "+b.to) })
	return all
}

// nothing imports packages without anything in them.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

func TestArrows(t *testing.T) {
	fset, files := token.NewFileSet(), make(map[string]*ast.File)
	for name, text := range map[string]string{
		"low.go": "// Package p.\n//\n//\tlow.go   below\n//\thigh.go  above\npackage p\n" +
			"import \"os\"\ntype low struct{ n int; file *os.File }\nfunc (l low) up() { high(l) }\n",
		"high.go": "package p\nfunc high(l low) { l.n++ }\n",
	} {
		f, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = f
	}
	if got := readingOrder(files); !slices.Equal(got, []string{"low.go", "high.go"}) {
		t.Errorf("order %v", got)
	}
	if got := fmt.Sprint(arrows(fset, files)); got != "[{high.go low.go low} {low.go high.go high}]" {
		t.Errorf("arrows %v", got)
	}
}

// wordsAtMost is how many words of its own a room may have.
const wordsAtMost = 8

// TestGlossary: each of these packages has its words, and few.
func TestGlossary(t *testing.T) {
	sections := strings.Split(read(t, filepath.Join(root, "docs", "glossary.md")), "\n## ")
	for path := range upward {
		room := "internal/" + filepath.Base(path)
		i := slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, "`"+room+"`\n") })
		if i < 0 {
			t.Errorf("docs/glossary.md does not have %s", room)
		} else if n := strings.Count(sections[i], "\n- **"); n == 0 || n > wordsAtMost {
			t.Errorf("docs/glossary.md: %s has %d words, at most %d are to be held", room, n, wordsAtMost)
		}
	}
}
