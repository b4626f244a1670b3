package flib

import (
	"strings"

	"gomapi/internal/funcname"
	"gomapi/internal/mapierr"
)

// A Library is a named list of functions.
type Library struct {
	Name      string // "stdflib"
	Functions []Def  // in the order of the info calls
}

// A Registry holds the libraries of a daemon in search order. It is filled before the
// daemon starts and then only read.
type Registry struct {
	libs []Library
}

// NewRegistry creates a registry that searches the libraries in the given order.
func NewRegistry(libs ...Library) *Registry { return &Registry{libs: libs} }

// Libraries returns the libraries in search order. The caller must not change them.
func (r *Registry) Libraries() []Library { return r.libs }

// Found is a function and the library that contains it.
type Found struct {
	*Def
	Library string
}

// Find looks up a function for a device of type devType. The name has the form
// [library:]NAME[!oid]. The function with the most specific device type wins, then the
// first library. With "!oid", Find considers only functions that are made for that device
// type or one below it. The error is 6144 if there is none.
func (r *Registry) Find(name, devType string) (Found, error) {
	lib, fn, floor := funcname.Split(name)
	for t := devType; t != ""; t = parentType(t) {
		if floor != "" && !within(t, floor) {
			break
		}
		for i := range r.libs {
			if lib != "" && lib != r.libs[i].Name {
				continue
			}
			if d := r.libs[i].find(fn, t); d != nil {
				return Found{Def: d, Library: r.libs[i].Name}, nil
			}
		}
	}
	return Found{}, mapierr.New(mapierr.FunctionNotFound,
		"no function %q for device type %s: mapi info functions lists the loaded functions", name, devType)
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
