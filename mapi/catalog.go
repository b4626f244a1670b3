package mapi

import (
	"context"
	"strings"
)

// kind returns the letter of argument i of a function, 0 when it has none. What
// functions take is asked once per connection.
func (l *link) kind(ctx context.Context, name string, i int) (byte, error) {
	descr, err := l.descr(ctx, name)
	if err != nil || i >= len(descr) {
		return 0, err
	}
	return descr[i], nil
}

// descr returns the argument letters of a function, none for one that the daemon
// does not have.
func (l *link) descr(ctx context.Context, name string) (string, error) {
	if _, rest, ok := strings.Cut(name, ":"); ok {
		name = rest
	}
	name, _, _ = strings.Cut(name, "!")
	l.catalogMu.Lock()
	defer l.catalogMu.Unlock()
	if l.catalog == nil {
		all, err := l.fetchCatalog(ctx)
		if err != nil {
			return "", err
		}
		l.catalog = all
	}
	return l.catalog[name], nil
}

// fetchCatalog asks the daemon for the functions of all libraries.
func (l *link) fetchCatalog(ctx context.Context) (map[string]string, error) {
	descr := make(map[string]string)
	for lib := 0; ; lib++ {
		functions, err := every(ErrNotSupported, -1, func(f LibFunctInfo) int { return f.ID },
			func(after int) ([]LibFunctInfo, error) { return l.libraryFunctions(ctx, lib, after, true, pageLimit) })
		if err != nil || len(functions) == 0 {
			return descr, err
		}
		for _, f := range functions {
			if _, ok := descr[f.Name]; !ok {
				descr[f.Name] = f.ArgDescr
			}
		}
	}
}
