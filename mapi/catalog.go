package mapi

import (
	"context"
	"strings"
)

// kindFlows is the kind of a text argument that is a list of flows. The kinds of
// all other arguments are their letters.
const kindFlows = 'F'

// kind returns the kind of argument i of a function, 0 if it has none.
func (l *link) kind(ctx context.Context, name string, i int) (byte, error) {
	d, err := l.descr(ctx, name)
	switch {
	case err != nil || i >= len(d.letters):
		return 0, err
	case i < len(d.args) && d.args[i].Kind == "flows":
		return kindFlows, nil
	}
	return d.letters[i], nil
}

// descr describes the arguments of a function.
type descr struct {
	letters  string // one letter for each argument
	original int    // number of arguments in the original
	args     []ArgInfo
}

// descr returns the argument letters of a function. name has the form that
// programs use: [library:]NAME[!oid]. It returns none for an unknown function,
// because the daemon reports that error. Functions that a library has for
// several device types have the same letters.
func (l *link) descr(ctx context.Context, name string) (descr, error) {
	all, err := l.letters(ctx)
	name, _, _ = strings.Cut(name, "!")
	return all[strings.TrimPrefix(name, ":")], err
}

// letters returns the argument letters of all functions, by NAME and by
// library:NAME. A plain NAME refers to the first library that has it. It asks
// the daemon once per connection. Concurrent callers each ask, because another
// caller's context may allow more time.
func (l *link) letters(ctx context.Context) (map[string]descr, error) {
	if all := l.catalog.Load(); all != nil {
		return *all, nil
	}
	all, err := l.fetchCatalog(ctx)
	if err != nil {
		return nil, err
	}
	l.catalog.Store(&all)
	return all, nil
}

// fetchCatalog requests the functions of all libraries from the daemon.
func (l *link) fetchCatalog(ctx context.Context) (map[string]descr, error) {
	libraries, err := every(ErrNotSupported, -1, func(lib LibraryInfo) int { return lib.ID },
		func(after int) ([]LibraryInfo, error) { return l.libraries(ctx, after, true, pageLimit) })
	if err != nil {
		return nil, err
	}
	catalog := make(map[string]descr)
	for _, lib := range libraries {
		functions, err := every(ErrNotSupported, -1, func(f LibFunctInfo) int { return f.ID },
			func(after int) ([]LibFunctInfo, error) {
				return l.libraryFunctions(ctx, lib.ID, after, true, pageLimit)
			})
		if err != nil {
			return nil, err
		}
		for _, f := range functions {
			for _, name := range []string{f.Name, lib.Name + ":" + f.Name} {
				if _, known := catalog[name]; !known {
					catalog[name] = descr{f.ArgDescr, len(f.ArgDescr) - added(f.Args), f.Args}
				}
			}
		}
	}
	return catalog, nil
}

// added counts the arguments that the original lacks.
func added(args []ArgInfo) (n int) {
	for _, a := range args {
		if a.Added {
			n++
		}
	}
	return n
}
