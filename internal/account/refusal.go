package account

import "fmt"

// A Refusal says that a user cannot have more, and what would help.
type Refusal struct {
	Holder   Holder
	Kind     Kind
	Wanted   int64
	Own, All int64 // what the user and all users had
	Limit    Limit
	key      string // of Limit.User in mapi.conf; empty: that of every user
	bound    bound
	users    int64
}

// Error implements error: it names the limit, its value and its key in mapi.conf.
func (r *Refusal) Error() string {
	thing, remedy := things[r.Kind], remedies[r.Kind]
	switch r.bound {
	case ofUser:
		key := r.key
		if key == "" {
			key = fmt.Sprintf("user_%v in mapi.conf", r.Kind)
		}
		return fmt.Sprintf("%s has %d %s, and %d more would exceed the limit of %d for a user (%s): %s",
			r.Holder.ID, r.Own, thing, r.Wanted, r.Limit.User, key, remedy)
	case portion:
		return fmt.Sprintf("%s has %d %s, more than an equal part for each of %d users, and the daemon has only %d of %d left (%s in mapi.conf): %s",
			r.Holder.ID, r.Own, thing, r.users, r.Limit.All-r.All, r.Limit.All, r.Kind, remedy)
	case reserved:
		return fmt.Sprintf("the daemon has %d %s in use, and the rest of the limit of %d (%s in mapi.conf) is kept for root and users who have little: %s",
			r.All, thing, r.Limit.All, r.Kind, remedy)
	}
	return fmt.Sprintf("the daemon has %d %s in use, and %d more would exceed the limit of %d (%s in mapi.conf): %s",
		r.All, thing, r.Wanted, r.Limit.All, r.Kind, remedy)
}

// remedies are what a user can do.
var remedies = [kinds]string{
	Memory: "close some flows", Descriptors: "close some connections, flows or files", Connections: "close some",
	Buffers: "close some flows", OfflineFiles: "delete some", WrittenFiles: "close flows that write files",
}
