package policy

import (
	"fmt"

	"gomapi/internal/account"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
)

// A Grant is what a policy lets somebody do. It does not change. A nil Grant allows everything.
//
// Of several sections the user's come before those of the groups: the first level that denies or
// allows something decides. Within a level, denying comes before allowing. What is in no list is
// denied if there is a list, and else allowed to users and denied to clients.
type Grant struct {
	client string // empty: a user
	file   string
	levels [][]*Section
}

// add adds a level, or another one if it is empty.
func (g *Grant) add(level, instead []*Section) {
	if len(level) == 0 {
		level = instead
	}
	if len(level) > 0 {
		g.levels = append(g.levels, level)
	}
}

// A verdict is what the sections say about something.
type verdict int

const (
	silent  verdict = iota // no section has the key
	omitted                // the lists do not have it
	denied
	allowed
)

// ask returns what the lists of a key say about something with these names, and the section that
// says so.
func (g *Grant) ask(k Key, names []string) (v verdict, by *Section) {
	for _, level := range g.levels {
		for _, s := range level {
			if s.Broken != 0 || s.Lists[k] != nil && has(s.Lists[k].Deny, names) {
				return denied, s
			}
		}
		for _, s := range level {
			if s.Lists[k] != nil && has(s.Lists[k].Allow, names) {
				return allowed, s
			}
			if s.Lists[k] != nil && v == silent {
				v, by = omitted, s
			}
		}
	}
	return v, by
}

// refuse returns the error for something that a verdict does not allow, else nil.
func (g *Grant) refuse(k Key, what string, v verdict, by *Section) error {
	switch {
	case v == allowed, v == silent && g.client == "":
		return nil
	case len(g.levels) == 0:
		return mapierr.New(mapierr.NoAuthData, "%s: no section of %s is for the client %q, so it may do nothing: "+
			"add [client NAME] with identity=%s", what, g.file, g.client, g.client)
	case v == silent:
		s := g.levels[0][0]
		return mapierr.New(mapierr.AuthFailed, "%s: %s has no key %v, so the client may use nothing of it", what, s.place(s.Line), k)
	case by.Broken != 0:
		return mapierr.New(mapierr.AuthFailed, "%s: %s cannot be read, so the section allows nothing", what, by.place(by.Broken))
	case v == denied:
		return mapierr.New(mapierr.AuthFailed, "%s is denied by the key %v of %s", what, k, by.place(by.Lists[k].Line))
	}
	return mapierr.New(mapierr.AuthFailed, "%s is not allowed by the key %v of %s", what, k, by.place(by.Lists[k].Line))
}

// Capture returns nil if packets may be captured on a device with these names, else 8003 or 8001.
// A capture file has the name of its format, such as MFF_PCAP.
func (g *Grant) Capture(names ...string) error {
	if g == nil {
		return nil
	}
	v, by := g.ask(Devices, names)
	return g.refuse(Devices, "device "+names[0], v, by)
}

// Apply returns nil if a function may be applied, else 8003 or 8001. writes says that it writes
// a file.
func (g *Grant) Apply(library, name string, writes bool) error {
	if g == nil {
		return nil
	}
	v, by := g.ask(Functions, []string{name, library + ":" + name})
	if err := g.refuse(Functions, "function "+name, v, by); err != nil || !writes {
		return err
	}
	return g.none(account.WrittenFiles, "function "+name+" writes a file, which")
}

// Open returns nil if capture files of a format may be made devices, else 8003 or 8001.
func (g *Grant) Open(format string) error {
	if g == nil {
		return nil
	}
	if err := g.Capture(format); err != nil {
		return err
	}
	return g.none(account.OfflineFiles, "a capture file as a device")
}

// none refuses something of a kind of which there may be none.
func (g *Grant) none(k account.Kind, what string) error {
	if s, l, ok := g.limit(k); ok && l.Amount == 0 {
		return mapierr.New(mapierr.AuthFailed, "%s is denied by the key %v of %s", what, k, s.place(l.Line))
	}
	return nil
}

// See returns nil if the counts of a device with these names may be seen, else 8003 or 8001. Who
// may capture on a device may see its counts, unless the key statistics denies it.
func (g *Grant) See(names ...string) error {
	if g == nil {
		return nil
	}
	v, by := g.ask(Statistics, names)
	if v == silent || v == omitted {
		return g.Capture(names...)
	}
	return g.refuse(Statistics, "the statistics of device "+names[0], v, by)
}

// SeeOthers returns nil if the accounts of all users may be seen, and to root their flows, else
// 8003 or 8001.
func (g *Grant) SeeOthers() error {
	if g == nil {
		return nil
	}
	v, by := g.ask(Statistics, nil)
	return g.refuse(Statistics, "what others do", v, by)
}

// Force returns the functions that are forced on every flow: those of all sections, in their
// order.
func (g *Grant) Force() (calls []funccall.Call) {
	if g == nil {
		return nil
	}
	for _, level := range g.levels {
		for _, s := range level {
			if s.Force != nil {
				calls = append(calls, s.Force.Calls...)
			}
		}
	}
	return calls
}

// limit returns the limit of a kind: that of the user, or else the largest one of the groups.
func (g *Grant) limit(k account.Kind) (by *Section, most Limit, ok bool) {
	for _, level := range g.levels {
		for _, s := range level {
			if l, has := s.Limits[k]; has && (!ok || l.Amount > most.Amount) {
				by, most, ok = s, l, true
			}
		}
		if ok {
			break
		}
	}
	return by, most, ok
}

// Limits returns the limits that replace those of every user; nil: none.
func (g *Grant) Limits() account.Own {
	if g == nil {
		return nil
	}
	var own account.Own
	for _, k := range account.Kinds() {
		if s, l, ok := g.limit(k); ok {
			if own == nil {
				own = make(account.Own)
			}
			own[k] = account.OwnLimit{Amount: l.Amount, Key: fmt.Sprintf("%v in %s", k, s.place(l.Line))}
		}
	}
	return own
}
