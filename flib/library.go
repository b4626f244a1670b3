package flib

import "sync"

// A Library is a named list of functions.
type Library struct {
	Name      string // "stdflib"
	Functions []Def  // in the order of the info calls
	// Close releases what the library holds beside its functions, nil if that is nothing. It
	// is called once, after the last instance of the functions is closed, when the
	// configuration no longer has the library in this form, or the daemon ends.
	Close func() error
}

// A Builder makes a library of this build from its section of mapi.conf, [NAME].
type Builder struct {
	Name string
	// Keys are the keys of the section. The function says what is wrong with a value.
	Keys map[string]func(value string) error
	// New makes the library. settings has the keys that are set, with valid values. When
	// the section changes, New makes the library anew; the instances of the older one live
	// on until they are closed.
	New func(settings map[string]string) (Library, error)
}

// Loaded is a library in a registry, with the number of instances of its functions.
type Loaded struct {
	Library
	mu      sync.Mutex
	uses    int
	retired bool // in no registry any more
	failed  func(err error)
}

// Load makes a library ready for a registry. failed is called if closing it fails; it may be
// nil.
func Load(lib Library, failed func(err error)) *Loaded { return &Loaded{Library: lib, failed: failed} }

// Hold counts an instance. It returns false if the library is closed.
func (l *Loaded) Hold() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired && l.uses == 0 {
		return false
	}
	l.uses++
	return true
}

// Release counts an instance less, and closes a retired library after the last one.
func (l *Loaded) Release() { l.change(func() { l.uses-- }) }

// Retire closes the library, now or after its last instance. It is called once.
func (l *Loaded) Retire() { l.change(func() { l.retired = true }) }

func (l *Loaded) change(what func()) {
	l.mu.Lock()
	what()
	over := l.retired && l.uses == 0
	l.mu.Unlock()
	if !over || l.Close == nil {
		return
	}
	if err := l.Close(); err != nil && l.failed != nil {
		l.failed(err)
	}
}
