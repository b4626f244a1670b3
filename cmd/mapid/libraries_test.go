package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/flib"
	"gomapi/internal/config"
)

// greeter is a library with a setting. closed notes the words of closed libraries.
func greeter(closed *[]string) flib.Builder {
	return flib.Builder{
		Name: "greetlib",
		Keys: map[string]func(string) error{"word": func(v string) error {
			if strings.Contains(v, " ") {
				return errors.New("use one word")
			}
			return nil
		}},
		New: func(settings map[string]string) (flib.Library, error) {
			word := settings["word"]
			if word == "panic" {
				panic("no words")
			}
			if word == "refused" {
				return flib.Library{}, errors.New("nobody says so")
			}
			def := flib.Def{Name: "GREET", Description: word, New: func(context.Context, flib.Env, flib.Args) (flib.Function, error) { return nil, nil }}
			return flib.Library{Name: "greetlib", Functions: []flib.Def{def}, Close: func() error {
				*closed = append(*closed, word)
				return nil
			}}, nil
		},
	}
}

// A library is made from its section. A reload makes it anew if the section has changed, and
// changes nothing if something is wrong.
func TestLibrariesFromSections(t *testing.T) {
	var closed []string
	b := append(builders(), greeter(&closed))
	l := newLibraries(b)
	path := filepath.Join(t.TempDir(), "mapi.conf")
	load := func(text string) (problems string, err error) {
		if err := os.WriteFile(path, []byte(text+"\n[driver]\ndevice=lo\ndriver=mapinicdrv\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		k := known()
		k.Libraries, k.LibraryKeys["greetlib"] = append(k.Libraries, "greetlib"), b[1].Keys
		cfg, list, err := config.Load(path, k)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			problems += fmt.Sprintln(p)
		}
		apply, err := l.prepare(&setup{Config: cfg})
		if err == nil {
			apply()
		}
		return problems, err
	}
	word := func() string {
		f, err := l.registry.Find("GREET", "1.3")
		if err != nil {
			return "-"
		}
		return f.Description
	}
	for i, step := range []struct{ text, problem, err, word, closed string }{
		{"[greetlib]\nword=hello", "", "", "hello", ""}, // all libraries are loaded without libs
		{"[greetlib]\nword=hello", "", "", "hello", ""},
		{"[greetlib]\nword=bye", "", "", "bye", "hello"},
		{"[greetlib]\nword=good bye", ":2: word=good bye in [greetlib]: use one word", "", "bye", "hello"},
		{"[greetlib]\nword=ciao\nlanguage=it", ":3: unknown key language in [greetlib]: known are word", "", "bye", "hello"},
		{"[greetlib]\nword=refused", "", ":1: library greetlib: nobody says so", "bye", "hello"},
		{"[greetlib]\nword=panic", "", "", "bye", "hello"},
		{"[stdflib]\nfast=1", ":2: unknown key fast in [stdflib]: the library has no settings", "", "", "hello,bye"},
		{"libs=greetlib.so", "", "", "", "hello,bye"},
		{"libs=stdflib\n[greetlib]\nword=hi", ":2: warning: section [greetlib] has no effect: libs does not list the library", "", "-", "hello,bye,"},
	} {
		problems, err := load(step.text)
		if step.problem == "" && problems != "" || !strings.Contains(problems, step.problem) {
			t.Errorf("%d: problems %q, want %q", i, problems, step.problem)
		}
		if strings.HasSuffix(step.text, "panic") {
			if err == nil || !strings.Contains(err.Error(), "no words") {
				t.Errorf("%d: %v, want a panic as an error", i, err)
			}
		} else if step.err == "" && err != nil || step.err != "" && (err == nil || !strings.HasSuffix(err.Error(), step.err)) {
			t.Errorf("%d: %v, want %s", i, err, step.err)
		}
		if got := strings.Join(closed, ","); word() != step.word || got != step.closed {
			t.Errorf("%d: word %q, closed %q, want %q and %q", i, word(), got, step.word, step.closed)
		}
	}
	l.close()
	if len(l.registry.Libraries()) != 0 {
		t.Error("libraries are left")
	}
}
