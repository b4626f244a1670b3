package daemon

import (
	"fmt"
	"os"
	"unicode"
	"unicode/utf8"

	"gomapi/internal/account"
	"gomapi/internal/config"
	"gomapi/internal/engine"
	"gomapi/internal/mapierr"
	"gomapi/internal/policy"
	"gomapi/internal/principal"
)

// maxClientName is the maximum length of the name of a client for whom a program acts,
// in bytes.
const maxClientName = 256

// ownerOf says who is behind a connection.
func ownerOf(p principal.Principal) engine.Owner {
	return engine.Owner{UID: p.UID, GID: p.GID, PID: p.PID, Program: p.Comm, Payer: holderOf(p), Subject: subjectOf(p)}
}

// subjectOf returns whose rights a process has: those of the user who pays, so that nobody gets
// others by a user namespace. Processes in namespaces of root have not got root's.
func subjectOf(p principal.Principal) policy.Subject {
	s := policy.Subject{UID: p.Payer, Groups: append([]uint32{p.GID}, p.Groups...)}
	if p.Payer == 0 {
		s.UID = p.UID
	}
	return s
}

// withGroups adds the groups that the database gives a user, if groups matter: a process in a user
// namespace can give up its own.
func (d *daemon) withGroups(s policy.Subject) policy.Subject {
	if d.byGroup.Load() {
		s.Groups = append(s.Groups, principal.GroupsOf(s.UID)...)
	}
	return s
}

// holderOf returns who pays. Root is bound by less than others, and so is the user that mapid runs
// as, who could do anything to it anyway. Processes in their namespaces, such as containers, have
// not got their rights: together they have an account like that of any user.
func holderOf(p principal.Principal) account.Holder {
	h := account.Holder{ID: fmt.Sprint("user ", p.Payer)}
	switch {
	case p.Payer != 0 && int(p.Payer) != os.Geteuid():
	case p.UID == p.Payer:
		h.Root = true
	default:
		h.ID += " in namespaces"
	}
	return h
}

// onBehalf lets a trusted program act for a client. The client has an account and
// flows of its own.
func (d *daemon) onBehalf(o engine.Owner, client string) (engine.Owner, error) {
	if !(*d.trusted.Load())[o.UID] {
		return o, mapierr.New(mapierr.AuthFailed,
			"user %d may not act for others: mapi.conf lists those who may in trusted_peers", o.UID)
	}
	if !validName(client) {
		return o, mapierr.New(mapierr.AuthFailed, "the name of the client is not 1 to %d bytes of visible text", maxClientName)
	}
	o.Client, o.Subject = client, policy.Subject{Client: client}
	o.Payer = account.Holder{ID: "client " + client}
	return o, nil
}

// validName reports whether a name can be shown as it is.
func validName(s string) bool {
	if s == "" || len(s) > maxClientName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}

// policyOf returns what a configuration lets users do. A private daemon has no rights but its
// user's, so there is nothing to restrict.
func (d *daemon) policyOf(c *config.Config) *policy.Policy {
	if d.Conn != nil {
		return nil
	}
	p := policy.New(c.Path, c.Access)
	d.byGroup.Store(p.ByGroup())
	return p
}

// setUsers applies what a configuration says about accounts and trusted users.
func (d *daemon) setUsers(c *config.Config) {
	d.accounts.SetLimits(c.ApplyTo(account.ForMachine()))
	trusted := make(map[uint32]bool)
	for _, name := range c.TrustedPeers {
		uid, err := principal.User(name)
		if err != nil {
			d.Log.Errorf("trusted_peers: %v: nobody may act for others by this name", err)
			continue
		}
		trusted[uid] = true
	}
	d.trusted.Store(&trusted)
}
