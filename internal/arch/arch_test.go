package arch

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pkg is the output of "go list" for a package.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
	Deps       []string
}

func (p *pkg) files() []string { return append(slices.Clone(p.GoFiles), p.CgoFiles...) }

// packages lists the module's packages.
func packages(t *testing.T) []*pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports,Deps", "gomapi/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []*pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := &pkg{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// under reports whether path is one of roots or below one. A root that ends in "/..."
// matches only packages below it.
func under(path string, roots ...string) bool {
	for _, r := range roots {
		if below, ok := strings.CutSuffix(r, "/..."); ok {
			if strings.HasPrefix(path, below+"/") {
				return true
			}
			continue
		}
		if path == r || strings.HasPrefix(path, r+"/") {
			return true
		}
	}
	return false
}

// mapitest is a package with a daemon for tests. It is below mapi because users import it.
const mapitest = "gomapi/mapi/mapitest"

// testmapid is a daemon for the project's own tests, in a process of its own.
const testmapid = "gomapi/internal/testmapid"

// rule forbids dependencies of packages on others, direct and indirect ones.
type rule struct {
	who []string // packages bound by the rule
	but []string // exceptions from who
	not []string // forbidden dependencies
	why string
}

var rules = []rule{
	{
		who: []string{"gomapi/mapi", "gomapi/cmd/mapi", "gomapi/cmd/libmapi"},
		but: []string{mapitest}, // a daemon for the tests of programs
		not: []string{"gomapi/drivers", "gomapi/flib", "gomapi/internal/engine", "gomapi/internal/daemon", "gomapi/internal/filter",
			"gomapi/internal/bpf", "gomapi/internal/classify", "gomapi/internal/content", "github.com/google/gopacket"},
		why: "programs need a socket and a memory mapping, but no capture code and no C",
	},
	{
		who: []string{"gomapi/drivers"},
		not: []string{"gomapi/flib", "gomapi/internal/engine", "gomapi/internal/daemon", "gomapi/internal/config", "gomapi/internal/wire"},
		why: "drivers deliver packets and do not know flows",
	},
	{
		who: []string{"gomapi/flib"},
		not: []string{"gomapi/drivers", "gomapi/internal/engine", "gomapi/internal/daemon", "gomapi/internal/config", "gomapi/internal/wire"},
		why: "functions process packets and do not know devices and clients",
	},
	{
		who: []string{"gomapi/internal/engine", "gomapi/internal/datapath", "gomapi/internal/segment", "gomapi/internal/chain"},
		not: []string{"gomapi/internal/wire", "gomapi/internal/config", "gomapi/internal/daemon", "gomapi/drivers/...", "gomapi/flib/...",
			"github.com/sirupsen/logrus", "github.com/google/gopacket"},
		why: "the engine knows interfaces, not sockets, files or particular drivers and functions",
	},
	{
		who: []string{"gomapi/internal/compact"},
		not: []string{"gomapi"},
		why: "a policy knows the state that it is told",
	},
	{
		who: []string{"gomapi/internal/policy"},
		not: []string{"gomapi/internal/engine", "gomapi/internal/daemon", "gomapi/internal/config", "gomapi/internal/wire", "gomapi/drivers", "gomapi/flib"},
		why: "a policy knows names and numbers",
	},
	{
		who: []string{"gomapi/internal/datapath"},
		not: []string{"gomapi/internal/engine", "gomapi/internal/compact"},
		why: "what runs per packet does not call who controls it",
	},
	{
		who: []string{"gomapi/internal/segment"},
		not: []string{"gomapi/internal/engine", "gomapi/internal/compact", "gomapi/internal/datapath"},
		why: "a segment runs chains, for any loop",
	},
	{
		who: []string{"gomapi/internal/chain"},
		not: []string{"gomapi/internal/engine", "gomapi/internal/compact", "gomapi/internal/datapath", "gomapi/internal/segment"},
		why: "a chain is run by any of these",
	},
	{
		who: []string{"gomapi/internal/bpf"},
		not: []string{"gomapi/internal/classify", "gomapi/internal/filter", "gomapi/internal/engine", "gomapi/flib", "gomapi/drivers"},
		why: "package bpf does not know the packages that compile and run its programs",
	},
	{
		who: []string{"gomapi/internal/classify"},
		not: []string{"gomapi/internal/filter", "gomapi/internal/engine", "gomapi/flib", "gomapi/drivers"},
		why: "the classifier knows filter programs, not the compiler",
	},
	{
		who: []string{"gomapi/internal/filter"},
		not: []string{"gomapi/internal/classify", "gomapi/internal/engine", "gomapi/flib", "gomapi/drivers"},
		why: "the compiler creates filter programs and does not know how they are used",
	},
	{
		who: []string{"gomapi/internal/memfile", "gomapi/internal/shm", "gomapi/internal/pkt", "gomapi/internal/mapierr", "gomapi/internal/fair", "gomapi/mapi/result"},
		not: []string{"gomapi", "github.com"},
		why: "leaf packages depend on no other package of the module",
	},
	{
		who: []string{"gomapi/internal/daemon", "gomapi/cmd/mapid"},
		not: []string{"gomapi/mapi/...", "gomapi/internal/tracegen", "gomapi/internal/testnet", "gomapi/internal/leak",
			"gomapi/internal/testdata", "gomapi/internal/testenv", testmapid, "gomapi/drivers/fake", "gomapi/drivers/drivertest", "gomapi/flib/flibtest", "gomapi/internal/bpf/bpftest",
			"gomapi/internal/table/tabletest", "gomapi/internal/foreign/foreigntest"},
		why: "the daemon is not its own client and contains no test code",
	},
}

func TestImportsPointDownwards(t *testing.T) {
	for _, p := range packages(t) {
		for _, r := range rules {
			if !under(p.ImportPath, r.who...) || under(p.ImportPath, r.but...) {
				continue
			}
			for _, d := range p.Deps {
				if d != p.ImportPath && under(d, r.not...) && !under(d, r.who...) && d != "gomapi/mapi/result" {
					t.Errorf("%s depends on %s: %s", p.ImportPath, d, r.why)
				}
			}
		}
	}
}

// only lists the packages that may import a package directly.
var only = []struct {
	what string
	who  []string
}{
	{"C", []string{"gomapi/internal/filter/libpcap", "gomapi/internal/content", "gomapi/cmd/libmapi"}},
	{"gopkg.in/ini.v1", []string{"gomapi/internal/config"}},
	{"github.com/sirupsen/logrus", []string{"gomapi/cmd", "gomapi/internal/daemon", mapitest, testmapid}},
	{"os/exec", []string{"gomapi/cmd", "gomapi/internal/filter", "gomapi/internal/bench", "gomapi/internal/soak", "gomapi/examples", testmapid}},
	{"github.com/spf13/cobra", []string{"gomapi/cmd"}},
	{"testing", []string{"gomapi/internal/testdata", "gomapi/internal/testenv", "gomapi/internal/testnet", "gomapi/internal/leak", "gomapi/flib/flibtest",
		"gomapi/drivers/drivertest", "gomapi/internal/bpf/bpftest", "gomapi/internal/table/tabletest", "gomapi/internal/foreign/foreigntest",
		mapitest, testmapid}},
	{"gomapi/drivers/fake", []string{mapitest}},
	{mapitest, nil}, // tests only
	{testmapid, nil},
}

func TestPrivilegedImports(t *testing.T) {
	for _, p := range packages(t) {
		for _, o := range only {
			if slices.Contains(p.Imports, o.what) && !under(p.ImportPath, o.who...) {
				t.Errorf("%s imports %s: only %s may", p.ImportPath, o.what, strings.Join(o.who, ", "))
			}
		}
	}
}

// TestMapitestHasAllFunctions checks that a program under test has all functions of
// mapid.
func TestMapitestHasAllFunctions(t *testing.T) {
	deps := make(map[string][]string)
	for _, p := range packages(t) {
		deps[p.ImportPath] = p.Deps
	}
	for _, d := range deps["gomapi/cmd/mapid"] {
		if under(d, "gomapi/flib/...") && !slices.Contains(deps[mapitest], d) {
			t.Errorf("%s does not import %s, but mapid does", mapitest, d)
		}
	}
}

func TestUnsafeStandsInItsOwnFiles(t *testing.T) {
	eachFile(t, func(p *pkg, name string, f *ast.File) {
		for _, imp := range f.Imports {
			if imp.Path.Value == `"unsafe"` && !strings.HasSuffix(name, "_unsafe.go") {
				t.Errorf("%s/%s imports unsafe: only files named *_unsafe.go may", p.ImportPath, name)
			}
		}
	})
}

func TestEveryPackageHasOneComment(t *testing.T) {
	comments := make(map[string]int)
	eachFile(t, func(p *pkg, _ string, f *ast.File) {
		comments[p.ImportPath] += 0
		if f.Doc != nil {
			comments[p.ImportPath]++
		}
	})
	for path, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments, want one", path, n)
		}
	}
}

// eachFile parses all files of all packages, except tests and generated files.
func eachFile(t *testing.T, f func(p *pkg, name string, file *ast.File)) {
	t.Helper()
	for _, p := range packages(t) {
		for _, name := range p.files() {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if name == "_cgo_gotypes.go" || strings.HasSuffix(name, ".pb.go") {
				continue
			}
			f(p, name, file)
		}
	}
}
