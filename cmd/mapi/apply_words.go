package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"gomapi/mapi"
)

// An applied is a function of the command line.
type applied struct {
	number int    // place in the command line, from 1
	name   string // as written
	args   []argument

	fn     *mapi.Function
	sent   []string      // arguments as the daemon has them
	unit   string        // of the first word of its result; empty: unknown
	taken  atomic.Uint64 // packets
	unread uint64        // entries that are not printed, as the call has ended
}

// An argument is a text, or stands for functions that came before.
type argument struct {
	text string
	refs []int // numbers, for text
	list bool  // the text is a list of functions; else two numbers
}

// parseCalls makes functions of words. Arguments are texts yet.
func parseCalls(words []string) (functions []*applied, err error) {
	if len(words) == 0 {
		return nil, errors.New("no function given")
	}
	var f *applied
	for _, w := range append(slices.Clip(words), ",") {
		switch {
		case w == "," && f == nil:
			return nil, fmt.Errorf("there is no function %d: the comma has none on one side", len(functions)+1)
		case w == ",":
			functions, f = append(functions, f), nil
		case f == nil:
			f = &applied{number: len(functions) + 1, name: w}
		default:
			f.args = append(f.args, argument{text: w})
		}
	}
	return functions, nil
}

// plain is the name without its library.
func (f *applied) plain() string {
	name := f.name
	if _, rest, ok := strings.Cut(name, ":"); ok {
		name = rest
	}
	name, _, _ = strings.Cut(name, "!")
	return name
}

// resolve finds the references among the arguments: those that stand where the
// function takes one. It refuses arguments that a function does not take, also where
// the daemon ignores them: a comma is missing then. Of a function that the daemon does
// not have it knows nothing; the daemon refuses it.
func (a *applying) resolve(ctx context.Context, client *mapi.Client) error {
	all, err := definitions(ctx, client)
	if err != nil {
		return err
	}
	for _, f := range a.functions {
		i := slices.IndexFunc(all, func(d definition) bool { return d.Name == f.plain() })
		if i < 0 {
			continue
		}
		if err := f.resolve(all[i].ArgDescr); err != nil {
			return usageError{fmt.Errorf("function %d: %s: %w", f.number, f.name, err)}
		}
	}
	return nil
}

// resolve finds the references, given a letter for each argument.
func (f *applied) resolve(letters string) (err error) {
	takes := len(letters)
	for i := range f.args {
		arg := &f.args[i]
		if letters == "" {
			return surplus(arg.text, takes)
		}
		flow := strings.HasPrefix(letters, "rf")
		arg.list = letters[0] == 'S'
		letters = letters[1:]
		if !strings.HasPrefix(arg.text, "@") || !flow && !arg.list {
			continue
		}
		if flow { // the reference stands for the function's number, too
			letters = letters[1:]
		}
		if arg.refs, err = f.references(arg.text); err != nil {
			return err
		}
		if len(arg.refs) > 1 && flow {
			return fmt.Errorf("%q are several functions where one is taken", arg.text)
		}
	}
	return nil
}

// surplus refuses the first argument beyond those that a function takes.
func surplus(text string, takes int) error {
	return fmt.Errorf("%q is too much: the function takes %s; a word \",\" separates it from the next function",
		text, counted(takes, "arguments"))
}

// references reads "@1" or "@1,@3".
func (f *applied) references(text string) (refs []int, err error) {
	for word := range strings.SplitSeq(text, ",") {
		digits, ok := strings.CutPrefix(word, "@")
		n, err := strconv.ParseUint(digits, 10, 31)
		switch {
		case !ok || err != nil:
			return nil, fmt.Errorf("%q is no function: want @1 for the first of the command line, @1,@2 for a list", word)
		case n == 0 || int(n) >= f.number:
			return nil, fmt.Errorf("@%d is no function that comes before", n)
		}
		refs = append(refs, int(n))
	}
	return refs, nil
}

// texts are the arguments as the daemon takes them. The functions referred to are
// applied.
func (f *applied) texts(all []*applied) (texts []string) {
	for _, arg := range f.args {
		var list []string
		for _, n := range arg.refs {
			fn := all[n-1].fn
			fd, fid := strconv.Itoa(fn.Flow().FD()), strconv.Itoa(fn.FID())
			if !arg.list {
				texts = append(texts, fd, fid)
			}
			list = append(list, fid+"@"+fd)
		}
		switch {
		case len(list) == 0:
			texts = append(texts, arg.text)
		case arg.list:
			texts = append(texts, strings.Join(list, ","))
		}
	}
	return texts
}

// arg is argument i of the function as a number, 0 when it is none.
func (f *applied) arg(i int) uint64 {
	if i >= len(f.sent) {
		return 0
	}
	n, _ := strconv.ParseUint(f.sent[i], 0, 64) // the daemon has checked it
	return n
}
