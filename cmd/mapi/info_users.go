package main

import (
	"context"
	"fmt"
	"os/user"
	"strings"
	"time"

	"gomapi/mapi"
)

const usersHelp = `Show what each user has taken of the daemon: memory, open files, connections and more,
each with its limit; CPU is the time that packets of the user's flows have taken, COMPILE
that for filters in the last seconds. See [limits] in mapi.conf. Root may take whatever all users
together may have.`

// A takenObject is how much of a kind is in use, in JSON.
type takenObject struct {
	Kind    string  `json:"kind"`
	Name    *string `json:"name,omitempty"` // of the user; absent: all users
	What    string  `json:"what"`
	Amount  uint64  `json:"amount"`
	Limit   uint64  `json:"limit"`
	Refused uint64  `json:"refused"`
}

func (t *tool) users(ctx context.Context, client *mapi.Client) error {
	users, all, err := client.Users(ctx)
	if err != nil {
		return err
	}
	if t.json {
		for _, u := range users {
			if err := t.takenObjects(&u.Name, u.Taken); err != nil {
				return err
			}
		}
		return t.takenObjects(nil, all)
	}
	if len(all) == 0 {
		return nil
	}
	titles := []string{"USER"}
	for _, k := range all {
		titles = append(titles, strings.ToUpper(strings.ReplaceAll(k.Kind, "_", " ")))
	}
	titles = append(titles, "CPU", "COMPILE")
	tab := newTable(t.stdout, "", append(titles, "REFUSED")...)
	for _, u := range users {
		tab.row(takenRow(withLogin(u.Name), u.Taken)...)
	}
	tab.row(takenRow("all", append(all, mapi.Taken{Kind: "cpu_ns"}, mapi.Taken{Kind: "compile_ns"}))...)
	return tab.flush()
}

func (t *tool) takenObjects(name *string, list []mapi.Taken) error {
	for _, k := range list {
		if err := writeJSON(t.stdout, takenObject{"taken", name, k.Kind, k.Amount, k.Limit, k.Refused}); err != nil {
			return err
		}
	}
	return nil
}

// takenRow is one line of the table: of each kind the amount and the limit.
func takenRow(name string, list []mapi.Taken) []any {
	row, refused := []any{name}, uint64(0)
	for _, k := range list {
		switch {
		case strings.HasSuffix(k.Kind, "_ns") && k.Amount == 0:
			row = append(row, "")
		case strings.HasSuffix(k.Kind, "_ns"):
			row = append(row, time.Duration(k.Amount).Round(time.Millisecond))
		case k.Kind == "memory":
			row = append(row, size(k.Amount)+" of "+size(k.Limit))
		default:
			row = append(row, fmt.Sprintf("%d of %d", k.Amount, k.Limit))
		}
		refused += k.Refused
	}
	return append(row, refused)
}

// size formats a number of bytes for people.
func size(n uint64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// withLogin adds the name of a user with a number.
func withLogin(name string) string {
	number, ok := strings.CutPrefix(name, "user ")
	if !ok {
		return name
	}
	if u, err := user.LookupId(number); err == nil {
		return u.Username + " (" + number + ")"
	}
	return name
}
