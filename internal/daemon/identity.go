package daemon

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"unicode"
	"unicode/utf8"

	"gomapi/internal/account"
	"gomapi/internal/config"
	"gomapi/internal/engine"
	"gomapi/internal/mapierr"
	"gomapi/internal/principal"
)

// maxClientName is the maximum length of the name of a client for whom a program acts,
// in bytes.
const maxClientName = 256

// ownerOf says who is behind a connection.
func ownerOf(p principal.Principal) engine.Owner {
	return engine.Owner{UID: p.UID, GID: p.GID, PID: p.PID, Program: p.Comm, Payer: holderOf(p)}
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
	o.Client, o.Payer = client, account.Holder{ID: "client " + client}
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

// setUsers applies what a configuration says about users.
func (d *daemon) setUsers(c *config.Config) {
	d.accounts.SetLimits(c.ApplyTo(account.ForMachine()))
	trusted := make(map[uint32]bool)
	for _, name := range c.TrustedPeers {
		uid, err := lookUp(name)
		if err != nil {
			d.Log.Errorf("trusted_peers: %v: nobody may act for others by this name", err)
			continue
		}
		trusted[uid] = true
	}
	d.trusted.Store(&trusted)
}

// lookUp returns the number of a user, given by name or number.
func lookUp(name string) (uint32, error) {
	if u, err := user.Lookup(name); err == nil {
		name = u.Uid
	}
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("no user %s", name)
	}
	return uint32(n), nil
}
