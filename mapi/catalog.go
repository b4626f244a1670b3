package mapi

import (
	"context"
	"strings"
)

// kind returns the letter of argument i of a function, 0 when it has none.
func (l *link) kind(ctx context.Context, name string, i int) (byte, error) {
	descr, err := l.descr(ctx, name)
	if err != nil || i >= len(descr) {
		return 0, err
	}
	return descr[i], nil
}

// descr returns the argument letters of a function, as programs write its name:
// [library:]NAME[!oid]. It has none for one that the daemon does not have, which
// says so itself. Functions that a library has for different types of devices have
// the same letters.
func (l *link) descr(ctx context.Context, name string) (string, error) {
	all, err := l.letters(ctx)
	name, _, _ = strings.Cut(name, "!")
	return all[strings.TrimPrefix(name, ":")], err
}

// letters returns the argument letters of all functions, by name and by name with
// the library; without it, they are of the first that has the name. The daemon is
// asked once per connection. Nobody waits for another's call, which may have more
// time.
func (l *link) letters(ctx context.Context) (map[string]string, error) {
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

// fetchCatalog asks the daemon for the functions of all libraries.
func (l *link) fetchCatalog(ctx context.Context) (map[string]string, error) {
	libraries, err := every(ErrNotSupported, -1, func(lib LibraryInfo) int { return lib.ID },
		func(after int) ([]LibraryInfo, error) { return l.libraries(ctx, after, true, pageLimit) })
	if err != nil {
		return nil, err
	}
	descr := make(map[string]string)
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
				if _, known := descr[name]; !known {
					descr[name] = f.ArgDescr
				}
			}
		}
	}
	return descr, nil
}
