package flib

import (
	"strings"

	"gomapi/internal/funcname"
	"gomapi/internal/mapierr"
)

// A Library is a named shelf of functions.
type Library struct {
	Name      string // "stdflib"
	Functions []Def  // in the order of the info calls
}

// A Registry holds the libraries of a daemon in search order. It is filled
// before the daemon starts and only read afterwards.
type Registry struct {
	libs []Library
}

// NewRegistry makes a registry that searches the libraries in the given order.
func NewRegistry(libs ...Library) *Registry { return &Registry{libs: libs} }

// Libraries returns the libraries in search order. The caller must not change
// them.
func (r *Registry) Libraries() []Library { return r.libs }

// Found is a function with the library that it was found in.
type Found struct {
	*Def
	Library string
}

// Find looks up a function by the name that a program gives, which has the
// grammar [library:]NAME[!oid], for a device of type devType. The most specific
// function for the device's type wins, then the order of the libraries. With
// "!oid" only functions made for that place in the tree or below it are taken.
// The error is 6144 when there is none.
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
		"no function %q for device type %s: mapi info functions lists those that are loaded", name, devType)
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

// Type returns the place in the tree of device types that d is made for.
func (d *Def) Type() string {
	if d.DevType == "" {
		return "1"
	}
	return d.DevType
}

// parentType returns the place above t in the tree, "" above the root.
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
