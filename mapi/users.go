package mapi

import (
	"context"

	"gomapi/internal/wire"
)

// UserInfo is what a user, with all programs, has taken of the daemon.
type UserInfo struct {
	// Name is "user" and a number, or "client" and the name of somebody for whom a
	// trusted program acts.
	Name  string
	Taken []Taken // all kinds, always in the same order
}

// Taken is how much of a kind is in use. docs/limits.md describes the kinds.
type Taken struct {
	// Kind is as in the section [limits] of mapi.conf: memory (in bytes), connections.
	// Users also have cpu_ns, the time of the packet path since the first of their
	// connections, and compile_ns, the time for filters and segments, of which half is
	// forgotten in ten seconds.
	Kind    string
	Amount  uint64
	Limit   uint64 // 0: none
	Refused uint64 // how often the user was refused more, since the first of its connections; of all users together 0
}

// Users returns the users with connections, by name, and what all users have
// together.
func (c *Client) Users(ctx context.Context) (users []UserInfo, all []Taken, err error) {
	for after := ""; ; {
		page, sum, err := c.users(ctx, after)
		if err != nil {
			return nil, nil, c.fail(err, "list users")
		}
		all = sum
		if len(page) == 0 {
			return users, all, nil
		}
		users = append(users, page...)
		after = page[len(page)-1].Name
	}
}

func (c *Client) users(ctx context.Context, after string) (users []UserInfo, all []Taken, err error) {
	l, err := c.connection(ctx)
	if err != nil {
		return nil, nil, err
	}
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_Users{
		Users: &wire.UserQuery{After: text(after), Limit: pageLimit},
	}})
	if err != nil {
		return nil, nil, err
	}
	for _, u := range resp.GetUsers().GetUsers() {
		users = append(users, UserInfo{Name: u.Name, Taken: taken(u.Taken)})
	}
	return users, taken(resp.GetUsers().GetAll()), nil
}

func taken(list []*wire.Taken) (out []Taken) {
	for _, t := range list {
		out = append(out, Taken{Kind: t.Kind, Amount: t.Amount, Limit: t.Limit, Refused: t.Refused})
	}
	return out
}
