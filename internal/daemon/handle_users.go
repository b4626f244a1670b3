package daemon

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"gomapi/internal/account"
	"gomapi/internal/wire"
)

// users answers with the accounts of the users that the client may see, and what all have together.
func (c *client) users(q *wire.UserQuery, resp *wire.Response) error {
	list := c.daemon.accounts.List()
	if c.session.Rights().SeeOthers() != nil {
		list = slices.DeleteFunc(list, func(u *account.Account) bool { return u.Holder.ID != c.owner.Payer.ID })
	}
	from, _ := slices.BinarySearchFunc(list, q.After, func(u *account.Account, after string) int {
		if u.Holder.ID <= after {
			return -1
		}
		return 1
	})
	limits := c.daemon.accounts.Limits()
	out, size := &wire.Users{}, 0
	for _, k := range account.Kinds() {
		out.All = append(out.All, taken(k, c.daemon.accounts.Taken(k), limits[k].All, 0))
	}
	most := int(min(max(q.Limit, 1), wire.PageLimit))
	for _, u := range list[from:] {
		w := &wire.User{Name: clean(u.Holder.ID, maxName)}
		for _, k := range account.Kinds() {
			w.Taken = append(w.Taken, taken(k, u.Taken(k), u.Limit(k), u.Refused(k)))
		}
		w.Taken = append(w.Taken,
			&wire.Taken{Kind: "cpu_ns", Amount: uint64(u.CPU.Spent())},
			&wire.Taken{Kind: "compile_ns", Amount: uint64(c.daemon.engine.CompileTime(u.Holder.ID))})
		if size += proto.Size(w) + 8; len(out.Users) > 0 && (size > pageBytes/2 || len(out.Users) >= most) {
			break
		}
		out.Users = append(out.Users, w)
	}
	resp.Result = &wire.Response_Users{Users: out}
	return nil
}

func taken(k account.Kind, amount, limit int64, refused uint64) *wire.Taken {
	return &wire.Taken{Kind: k.String(), Amount: uint64(max(amount, 0)), Limit: uint64(limit), Refused: refused}
}
