package policy

import (
	"fmt"
	"slices"

	"gomapi/internal/account"
	"gomapi/internal/funccall"
)

// A Kind says for whom a section is.
type Kind int

// Kinds of sections.
const (
	User Kind = iota
	Group
	Client
)

var kinds = [...]string{User: "user", Group: "group", Client: "client"}

// String is the word before the name in the header of a section.
func (k Kind) String() string { return kinds[k] }

// A Key is a list of a section.
type Key int

// The lists of a section.
const (
	Devices    Key = iota // on which packets may be captured
	Functions             // that may be applied
	Statistics            // devices whose counts may be seen
	keys
)

var keyNames = [keys]string{Devices: "devices", Functions: "functions", Statistics: "statistics"}

// String is the key in mapi.conf.
func (k Key) String() string { return keyNames[k] }

// Any is the item of a list that stands for everything.
const Any = "*"

// A Section is one section of mapi.conf. It does not change.
type Section struct {
	Kind Kind
	Name string // as in the header
	Line int    // of the header

	Others   bool    // for all whom no other section names: [user *], [client *]
	ID       *uint32 // of the user or group; nil: there is none of the name, and the section is for nobody
	Identity string  // of the client

	Lists  [keys]*List // nil: the key is absent
	Force  *Force      // nil: nothing is forced
	Limits map[account.Kind]Limit
	// Broken is a line that could not be read, 0: none. It might have denied something, so the
	// section allows nothing.
	Broken int

	file string
}

// A List says what is allowed and what is denied.
type List struct {
	Line        int
	Allow, Deny []string
}

// Force is the functions that are forced on every flow, in the order in which packets meet them.
type Force struct {
	Line  int
	Calls []funccall.Call
}

// A Limit is how much of a kind a user may have.
type Limit struct {
	Line   int
	Amount int64
}

// names reports whether the section names somebody.
func (s *Section) names(who Subject) bool {
	switch {
	case s.Kind == Client:
		return s.Identity == who.Client
	case s.ID == nil:
		return false
	case s.Kind == User:
		return *s.ID == who.UID
	}
	return slices.Contains(who.Groups, *s.ID)
}

// place names the section and a line of it, for people.
func (s *Section) place(line int) string {
	return fmt.Sprintf("[%v %s] (%s:%d)", s.Kind, s.Name, s.file, line)
}

// has reports whether one of the items is in a list.
func has(list, items []string) bool {
	return slices.Contains(list, Any) || slices.ContainsFunc(items, func(s string) bool { return slices.Contains(list, s) })
}
