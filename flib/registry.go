package flib

import (
	"slices"
	"strings"
	"sync/atomic"

	"gomapi/internal/funcname"
	"gomapi/internal/mapierr"
)

// A Registry holds the libraries of a daemon in search order. Any goroutine may use it, also
// while Replace gives it others.
type Registry struct {
	libs atomic.Pointer[[]*Loaded]
}

// NewRegistry creates a registry that searches the libraries in the given order.
func NewRegistry(libs ...Library) *Registry {
	r, list := &Registry{}, make([]*Loaded, len(libs))
	for i := range libs {
		list[i] = Load(libs[i], nil)
	}
	r.libs.Store(&list)
	return r
}

// Replace gives the registry these libraries in place of those that it has. Libraries that are
// not among them any more are retired.
func (r *Registry) Replace(libs ...*Loaded) {
	for _, old := range *r.libs.Swap(&libs) {
		if !slices.Contains(libs, old) {
			old.Retire()
		}
	}
}

// Libraries returns the libraries in search order. The caller must not change them.
func (r *Registry) Libraries() []*Loaded { return *r.libs.Load() }

// Found is a function and the library that contains it.
type Found struct {
	*Def
	Library *Loaded
}

// Find looks up a function for a device of type devType. The name has the form
// [library:]NAME[!oid]. The function with the most specific device type wins, then the
// first library. With "!oid", Find considers only functions that are made for that device
// type or one below it. The error is 6144 if there is none.
func (r *Registry) Find(name, devType string) (Found, error) {
	list, err := r.forms(name, devType)
	if err != nil {
		return Found{}, err
	}
	return list[0], nil
}

// Hold returns the functions to try one after the other: the one of Find, then those for
// less specific device types, down to the one for any device. A function that the hardware
// cannot run refuses with 7006, and the next one may be able to. With "!oid" there is only
// the first. The error is that of Find. The library of each is held for the caller: Replace
// does not close it before Release.
func (r *Registry) Hold(name, devType string) ([]Found, error) {
	for {
		list, err := r.forms(name, devType)
		if err != nil {
			return nil, err
		}
		n := slices.IndexFunc(list, func(f Found) bool { return !f.Library.Hold() })
		if n < 0 {
			return list, nil
		}
		Release(list[:n]) // others have replaced them meanwhile
	}
}

// Release gives up the libraries that Hold has held.
func Release(list []Found) {
	for _, f := range list {
		f.Library.Release()
	}
}

// forms returns one function for each device type that has one, the most specific first, all
// from the libraries of one moment.
func (r *Registry) forms(name, devType string) (list []Found, err error) {
	lib, fn, floor := funcname.Split(name)
	libs := r.Libraries()
	for t := devType; t != "" && (floor == "" || within(t, floor) && len(list) == 0); t = parentType(t) {
		if f, ok := at(libs, lib, fn, t); ok {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		err = mapierr.New(mapierr.FunctionNotFound,
			"no function %q for device type %s: mapi info functions lists the loaded functions", name, devType)
	}
	return list, err
}

// at returns the function of the first library that has one for this very device type.
func at(libs []*Loaded, lib, fn, devType string) (Found, bool) {
	for _, l := range libs {
		if lib != "" && lib != l.Name {
			continue
		}
		if d := l.find(fn, devType); d != nil {
			return Found{Def: d, Library: l}, true
		}
	}
	return Found{}, false
}

func (l *Library) find(name, devType string) *Def {
	for i := range l.Functions {
		d := &l.Functions[i]
		if d.Name == name && d.Type() == devType {
			return d
		}
	}
	return nil
}

// Type returns the place in the tree of device types for which d is made.
func (d *Def) Type() string {
	if d.DevType == "" {
		return "1"
	}
	return d.DevType
}

// parentType returns the place above t in the tree, "" for the root.
func parentType(t string) string {
	i := strings.LastIndexByte(t, '.')
	if i < 0 {
		return ""
	}
	return t[:i]
}

// within reports whether t is floor or below it.
func within(t, floor string) bool {
	return t == floor || strings.HasPrefix(t, floor+".")
}
