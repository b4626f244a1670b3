package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A name is a row of names.tsv: a name that a program may use after it includes the header.
//
//	kind                value
//	define              number of a macro
//	mask                number of a macro that masks a variable off; all bits of off are set
//	text                string of a macro
//	marker              (a macro before a parameter)
//	enum TAG            number of a constant of that enumeration
//	type                size
//	bits                (a bit field)
//	any type            offset of a field; without a value, the name is an alias of the type
type name struct{ header, name, kind, value string }

// documented reads names.tsv.
func documented(t *testing.T) (names []name) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(source(t, "names.tsv")), "\n")
	for _, line := range lines[1:] {
		f := append(strings.Split(line, "\t"), "")
		names = append(names, name{f[0], f[1], f[2], f[3]})
	}
	return names
}

// inHeaders returns the documented names by header.
func inHeaders(t *testing.T) map[string][]name {
	t.Helper()
	headers := map[string][]name{}
	for _, n := range documented(t) {
		headers[n.header] = append(headers[n.header], n)
	}
	return headers
}

// installed returns the headers that users include.
func installed(t *testing.T) (headers []string) {
	t.Helper()
	for _, pattern := range []string{"*.h", "mapi/*.h"} {
		paths, err := filepath.Glob(filepath.Join("include", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			headers = append(headers, strings.TrimPrefix(path, "include/"))
		}
	}
	return headers
}

// systems are system headers that monitoring programs also include.
var systems = []string{
	"sys/types.h", "sys/socket.h", "sys/wait.h", "net/ethernet.h", "net/if.h", "net/if_arp.h", "netinet/in.h",
	"netinet/if_ether.h", "netinet/ip.h", "netinet/ip6.h", "netinet/ip_icmp.h", "netinet/icmp6.h",
	"netinet/tcp.h", "netinet/udp.h", "arpa/inet.h", "netdb.h", "pcap.h",
}

// standards are the language standards that the headers support. Only strict C hides
// types that the system headers themselves need.
var standards = []string{"c99", "c11", "gnu11", "c++11", "c++17", "c++20"}

// accept compiles sources. Every warning is a failure of the test.
func accept(t *testing.T, standard string, sources ...string) {
	t.Helper()
	compiler, ending := "cc", "c"
	if strings.Contains(standard, "++") {
		compiler, ending = "g++", "cpp"
	}
	if _, err := exec.LookPath(compiler); err != nil {
		t.Skip("needs " + compiler)
	}
	dir := t.TempDir()
	include, err := filepath.Abs("include")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-fsyntax-only", "-std=" + standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-I" + include}
	for i, source := range sources {
		file := fmt.Sprintf("%d.%s", i, ending)
		if err := os.WriteFile(filepath.Join(dir, file), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd := exec.Command(compiler, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%.4000s", standard, err, out)
	}
}

// ofSystem reports whether a header is a system header or includes some.
func ofSystem(header string) bool {
	return slices.Contains(systems, header) || header == "mapi/anon_snort_decode.h" || header == "linux/tcp.h"
}

// including returns the start of a source. If it includes system headers, it makes a
// strict standard show the system types that they need.
func including(headers ...string) string {
	var b strings.Builder
	if slices.ContainsFunc(headers, ofSystem) {
		b.WriteString("#ifndef _DEFAULT_SOURCE\n#define _DEFAULT_SOURCE\n#endif\n")
	}
	for _, h := range headers {
		fmt.Fprintf(&b, "#include <%s>\n", h)
	}
	return b.String() + "extern int not_empty;\n"
}

// checks defines the macros that the code of uses needs.
const checks = `
#define IS(what, number) extern char is_as_documented[(what) == (number) ? 1 : -1]
#ifdef __cplusplus
#define SAME(a, b) IS(__is_same(__typeof__(a), __typeof__(b)), true)
#define ENUM(constant, tag) SAME(constant, tag)
#else
#define SAME(a, b) IS(__builtin_types_compatible_p(__typeof__(a), __typeof__(b)), 1)
#define ENUM(constant, tag) IS(sizeof(constant), sizeof(tag))
#endif
#define FIELD(type, field, at, is) IS(__builtin_offsetof(type, field), at); SAME(((type *)0)->field, is)
enum { off = 0xffff };
`

// uses returns C code that compiles only if the name is as documented.
func (n name) uses() string {
	macro := fmt.Sprintf("#ifndef %s\n#error %[1]s is not a macro of %s\n#endif\n", n.name, n.header)
	structure, field, isField := strings.Cut(n.name, ".")
	switch {
	case n.kind == "define", n.kind == "mask":
		return macro + fmt.Sprintf("IS(%s, %s);", n.name, n.value)
	case n.kind == "text":
		return macro + fmt.Sprintf("IS(sizeof(%s \"\"), sizeof(%s));", n.name, n.value)
	case n.kind == "marker":
		return macro + fmt.Sprintf("static inline void unused(%s int before, int behind %[1]s) {}", n.name)
	case strings.HasPrefix(n.kind, "enum ") && !isField && n.value != "":
		return fmt.Sprintf("IS(%s, %s); ENUM(%[1]s, %[3]s);", n.name, n.value, n.kind)
	case n.kind == "type":
		return fmt.Sprintf("IS(sizeof(%s), %s);", n.name, n.value)
	case n.kind == "bits":
		return fmt.Sprintf("static inline void set_%s(%s *h) { h->%[1]s = 15; }", field, structure)
	case isField:
		return fmt.Sprintf("FIELD(%s, %s, %s, %s);", structure, field, n.value, n.kind)
	}
	return fmt.Sprintf("SAME(%s, %s);", strings.TrimSuffix(n.name, "()"), n.kind)
}

// using returns a source that includes the headers and uses the names.
func using(headers []string, names []name) string {
	var b strings.Builder
	b.WriteString(including(headers...) + checks)
	for _, n := range names {
		fmt.Fprintln(&b, n.uses())
	}
	return b.String()
}

// TestEveryName uses all names of each header in a source that includes only this header.
func TestEveryName(t *testing.T) {
	headers := inHeaders(t)
	for _, standard := range standards {
		t.Run(standard, func(t *testing.T) {
			var sources []string
			for header, names := range headers {
				sources = append(sources, using([]string{header}, names))
			}
			accept(t, standard, sources...)
		})
	}
}

// ambiguous reports whether two headers define the name. TestLaterWins tests these names.
func ambiguous(n name) bool {
	return regexp.MustCompile(`^TCP_(SYN|ACK|RST|FIN|PSH)$`).MatchString(n.name)
}

// TestNamesTogether uses all names of all headers, included in many orders and mixed with
// system headers. An order and its reverse put each header before each other header.
func TestNamesTogether(t *testing.T) {
	ours := installed(t)
	names := slices.DeleteFunc(documented(t), ambiguous)
	reverse := slices.Clone(ours)
	slices.Reverse(reverse)
	sources := []string{
		using(ours, names), using(reverse, names),
		using(slices.Concat(ours, systems), names), using(slices.Concat(systems, ours), names),
		using(slices.Concat(reverse, systems), names), using(slices.Concat(systems, reverse), names),
	}
	all := slices.Concat(ours, systems)
	random := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		random.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
		sources = append(sources, using(all, names))
	}
	for _, standard := range standards {
		t.Run(standard, func(t *testing.T) { accept(t, standard, sources...) })
	}
}

// TestPairs includes each pair of headers in both orders.
func TestPairs(t *testing.T) {
	var sources []string
	ours := installed(t)
	for i, a := range ours {
		for _, b := range ours[i+1:] {
			sources = append(sources, including(a, b), including(b, a))
		}
	}
	for _, standard := range []string{"gnu11", "c++20"} {
		t.Run(standard, func(t *testing.T) { accept(t, standard, sources...) })
	}
}

// TestLaterWins includes the two headers that define the same names for TCP flags.
func TestLaterWins(t *testing.T) {
	headers := inHeaders(t)
	var sources []string
	for later, others := range map[string][]string{
		"mapi/hashsamp.h":  {"mapi/protocols.h", "mapi/expiredflowshash.h"},
		"mapi/protocols.h": {"mapi/hashsamp.h", "mapi/stdflib.h"},
	} {
		for _, earlier := range others {
			for _, system := range []string{"netinet/tcp.h", "linux/tcp.h"} {
				sources = append(sources,
					using([]string{earlier, system, later}, headers[later]),
					using([]string{system, earlier, later}, headers[later]),
					using([]string{earlier, later, system}, headers[later]))
			}
		}
	}
	for _, standard := range standards {
		t.Run(standard, func(t *testing.T) { accept(t, standard, sources...) })
	}
}

// TestLinkage includes the headers within extern "C", like C++ programs that expect
// headers for C.
func TestLinkage(t *testing.T) {
	ours := installed(t)
	names := slices.DeleteFunc(documented(t), ambiguous)
	accept(t, "c++20", "extern \"C\" {\n"+including(ours...)+"}\n"+using(ours, names))
}

// TestUse compiles typical calls.
func TestUse(t *testing.T) {
	for _, standard := range standards {
		t.Run(standard, func(t *testing.T) { accept(t, standard, source(t, "use.c")) })
	}
}

// TestNamesLeftFree defines the names of all other headers in a program that includes
// only mapi.h.
func TestNamesLeftFree(t *testing.T) {
	var b strings.Builder
	b.WriteString(including("mapi.h"))
	tags := map[string]bool{}
	tag := func(kind, tag, body string) {
		if !tags[tag] {
			fmt.Fprintf(&b, "%s %s { %s };\n", kind, tag, body)
		}
		tags[tag] = true
	}
	for header, names := range inHeaders(t) {
		for _, n := range names {
			switch kind, of, _ := strings.Cut(n.kind, " "); {
			case header == "mapi.h" || strings.Contains(n.name, ".") || tags[n.name]:
			case kind == "type":
				tag("struct", strings.TrimPrefix(n.name, "struct "), "int mine;")
			case kind == "enum":
				tag("enum", of, "mine_"+of)
				fallthrough
			default:
				fmt.Fprintf(&b, "#ifdef %s\n#error mapi.h has %[1]s of %s\n#endif\nenum { %[1]s };\n", n.name, header)
				tags[n.name] = true
			}
		}
	}
	for _, standard := range standards {
		t.Run(standard, func(t *testing.T) { accept(t, standard, b.String()) })
	}
}

// TestOnlyDocumentedMacros compares the macros of the headers with the list.
// TestErrorNumbers checks mapi_errors.h.
func TestOnlyDocumentedMacros(t *testing.T) {
	known := map[string]bool{"mapi/count.h mapi_apply_function": true}
	for _, n := range documented(t) {
		known[n.header+" "+n.name] = true
	}
	for _, header := range installed(t) {
		if header == "mapi_errors.h" {
			continue
		}
		for _, m := range regexp.MustCompile(`(?m)^#define (\w+)`).FindAllStringSubmatch(source(t, "../include/"+header), -1) {
			if !known[header+" "+m[1]] && !strings.HasPrefix(m[1], "MAPI_") {
				t.Errorf("%s defines %s, which is not in names.tsv", header, m[1])
			}
		}
	}
}
