// Package policy decides what users and clients may do. A Policy is made of the sections [user],
// [group] and [client] of mapi.conf and never changes. It knows names and numbers only: the
// engine asks it, and says what a device or function is called.
//
// Files in reading order; each uses those before it:
//
//	section.go  one section: its lists
//	policy.go   which sections are for whom
//	grant.go    what they let somebody do
package policy

// A Policy is the sections of one configuration. A nil Policy restricts nobody.
type Policy struct {
	file     string
	sections []*Section
}

// New makes a policy of the sections of a file; nil if there are none.
func New(file string, sections []Section) *Policy {
	if len(sections) == 0 {
		return nil
	}
	p := &Policy{file: file}
	for _, s := range sections {
		s.file = file
		p.sections = append(p.sections, &s)
	}
	return p
}

// A Subject is somebody who wants something: a user with groups, or a client for whom a program
// acts.
type Subject struct {
	UID    uint32
	Groups []uint32
	Client string // empty: a user
}

// ByGroup reports whether groups matter.
func (p *Policy) ByGroup() bool {
	if p == nil {
		return false
	}
	for _, s := range p.sections {
		if s.Kind == Group {
			return true
		}
	}
	return false
}

// For returns what the policy grants to somebody. A nil Grant allows everything.
func (p *Policy) For(who Subject) *Grant {
	if p == nil {
		return nil
	}
	if who.Client != "" {
		g := &Grant{client: who.Client, file: p.file}
		g.add(p.matching(Client, who), p.others(Client))
		return g
	}
	g := &Grant{file: p.file}
	g.add(p.matching(User, who), nil)
	g.add(p.matching(Group, who), nil)
	if len(g.levels) == 0 {
		g.add(p.others(User), nil)
	}
	if len(g.levels) == 0 {
		return nil
	}
	return g
}

// matching returns the sections of a kind that name somebody.
func (p *Policy) matching(k Kind, who Subject) (list []*Section) {
	for _, s := range p.sections {
		if s.Kind == k && !s.Others && s.names(who) {
			list = append(list, s)
		}
	}
	return list
}

// others returns the sections of a kind for those whom no section names.
func (p *Policy) others(k Kind) (list []*Section) {
	for _, s := range p.sections {
		if s.Kind == k && s.Others {
			list = append(list, s)
		}
	}
	return list
}
