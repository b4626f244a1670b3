package main

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"gomapi/flib"
	"gomapi/internal/config"
)

// libraries are the function libraries of the daemon, made from the configuration. One
// goroutine at a time uses them.
type libraries struct {
	builders []flib.Builder
	registry *flib.Registry
	made     map[string]made // by name
	log      func(format string, args ...any)
}

// made is a library with the settings that it was made from.
type made struct {
	*flib.Loaded
	settings map[string]string
}

func newLibraries(b []flib.Builder) *libraries {
	return &libraries{builders: b, registry: flib.NewRegistry(), log: func(string, ...any) {}}
}

// prepare makes the libraries of a configuration whose settings are new. apply puts all of the
// configuration into the registry. If a library cannot be made, nothing changes. One with
// errors in its section stays as it is.
func (l *libraries) prepare(s *setup) (apply func(), err error) {
	next, list := make(map[string]made), []*flib.Loaded{}
	for _, name := range s.Libs {
		settings, line, bad := s.Settings(name)
		m, known := l.made[name]
		if !known || !bad && !maps.Equal(m.settings, settings) {
			if m.Loaded, err = l.make(name, settings); err != nil {
				for key, n := range next {
					if n.Loaded != l.made[key].Loaded {
						n.Retire()
					}
				}
				return nil, fmt.Errorf("%s%s: library %s: %w", s.where(), atLine(line), name, err)
			}
			m.settings = settings
		}
		next[name], list = m, append(list, m.Loaded)
	}
	return func() {
		l.made = next
		l.registry.Replace(list...)
	}, nil
}

// make makes a library of this build.
func (l *libraries) make(name string, settings map[string]string) (*flib.Loaded, error) {
	i := slices.IndexFunc(l.builders, func(b flib.Builder) bool { return b.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("it is not part of this build")
	}
	lib, err := safely(func() (flib.Library, error) { return l.builders[i].New(settings) })
	if err != nil {
		return nil, err
	}
	if end := lib.Close; end != nil {
		lib.Close = func() error {
			_, err := safely(func() (flib.Library, error) { return lib, end() })
			return err
		}
	}
	return flib.Load(lib, func(err error) { l.log("library %s: close: %v", name, err) }), nil
}

// safely turns a panic of a library into an error.
func safely(f func() (flib.Library, error)) (lib flib.Library, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it failed: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// close closes all libraries. It is called after all flows are closed.
func (l *libraries) close() { l.registry.Replace() }

// atLine names a line of the configuration, if there is one.
func atLine(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf(":%d", line)
}

// all returns the built-in configuration with all libraries of this build.
func all(b []flib.Builder) *config.Config {
	c := config.Default()
	c.Libs = nil
	for _, builder := range b {
		c.Libs = append(c.Libs, builder.Name)
	}
	return c
}
