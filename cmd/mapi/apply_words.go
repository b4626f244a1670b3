package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"gomapi/internal/funccall"
	"gomapi/internal/funcname"
	"gomapi/mapi"
)

// An applied is a function of the command line.
type applied struct {
	number int    // position in the command line, from 1
	name   string // as written
	typed  bool   // a call in parentheses: the arguments are of the kinds that were written
	args   []argument

	fn     *mapi.Function
	of     string             // the function that was applied, with its library
	fields []mapi.ResultField // of its result, with these arguments; nil: not described
	form   form               // text of its result
	sent   []string           // arguments as sent to the daemon
	unit   string             // unit of the first word of its result; empty: unknown
	target string             // unit of the function that it reads; empty: unknown
	taken  atomic.Uint64      // packets
	unread uint64             // entries not printed when the call ended
}

// An argument is plain text, a number or a reference to functions before it.
type argument struct {
	text   string
	number any   // of a call in parentheses: int64 or uint64; nil: no number
	ref    bool  // of a call in parentheses: a reference, no text
	refs   []int // function numbers; empty for plain text
	list   bool  // the text is a list of functions; else flow and function number
	file   bool  // the text is the path of a file to write
}

// parseCalls splits words into functions. A word with a parenthesis is a list of calls. It does
// not resolve references yet.
func parseCalls(words []string) (functions []*applied, err error) {
	if len(words) == 0 {
		return nil, errors.New("no function given")
	}
	var f *applied // takes the words up to the next comma
	for _, w := range append(slices.Clip(words), ",") {
		switch {
		case w == "," && f == nil:
			return nil, fmt.Errorf("function %d is missing: a comma needs a function on each side", len(functions)+1)
		case w == ",":
			f = nil
			continue
		case f != nil && f.typed:
			return nil, fmt.Errorf("%q follows the call of %s: separate functions with a word \",\"", w, f.name)
		case f != nil:
			f.args = append(f.args, argument{text: w})
			continue
		case strings.Contains(w, "("):
			calls, err := funccall.ParseRefs(w)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", w, err)
			}
			for _, c := range calls {
				functions = append(functions, fromCall(c))
			}
		default:
			functions = append(functions, &applied{name: w})
		}
		f = functions[len(functions)-1]
	}
	for i, f := range functions {
		f.number = i + 1
	}
	return functions, nil
}

// fromCall is the function of a call in parentheses.
func fromCall(c funccall.Call) *applied {
	f := &applied{name: c.Name, typed: true}
	for _, v := range c.Values() {
		arg := argument{text: fmt.Sprint(v)}
		switch v.(type) {
		case funccall.Ref:
			arg.ref = true
		case int64, uint64:
			arg.number = v
		}
		f.args = append(f.args, arg)
	}
	return f
}

// resolve resolves the references in arguments that name functions. It rejects
// surplus arguments even if the daemon ignores them, because they show that a
// comma is missing. It skips functions that the daemon does not know; the
// daemon rejects these.
func (a *applying) resolve() error {
	for _, f := range a.functions {
		library, name, _ := funcname.Split(f.name)
		i := slices.IndexFunc(a.known, func(d definition) bool {
			return d.Name == name && (library == "" || d.library == library)
		})
		if i < 0 {
			continue
		}
		if err := f.resolve(a.known[i].ArgDescr); err != nil {
			return usageError{fmt.Errorf("function %d: %s: %w", f.number, f.name, err)}
		}
	}
	return nil
}

// resolve resolves the references of f. letters has one letter for each
// argument.
func (f *applied) resolve(letters string) (err error) {
	takes := len(letters)
	for i := range f.args {
		arg := &f.args[i]
		if letters == "" {
			return surplus(arg.text, takes)
		}
		flow := strings.HasPrefix(letters, "rf")
		arg.list, arg.file = letters[0] == 'S', letters[0] == 'w'
		letters = letters[1:]
		switch {
		case arg.ref && !flow && !arg.list:
			return fmt.Errorf("%s refers to a function, the argument does not: put a text that begins with @ in double quotes", arg.text)
		case !strings.HasPrefix(arg.text, "@") || !flow && !arg.list:
			continue
		}
		if flow { // the reference also supplies the function number
			letters = letters[1:]
		}
		if arg.refs, err = f.references(arg.text); err != nil {
			return err
		}
		if len(arg.refs) > 1 && flow {
			return fmt.Errorf("%q names several functions; this argument takes one", arg.text)
		}
	}
	return nil
}

// surplus rejects the first argument that exceeds those of a function.
func surplus(text string, takes int) error {
	return fmt.Errorf("%q is one argument too many: the function takes %s; separate functions with a word \",\"",
		text, counted(takes, "arguments"))
}

// references parses "@1" or "@1,@3".
func (f *applied) references(text string) (refs []int, err error) {
	for word := range strings.SplitSeq(text, ",") {
		digits, ok := strings.CutPrefix(word, "@")
		n, err := strconv.ParseUint(digits, 10, 31)
		switch {
		case !ok || err != nil:
			return nil, fmt.Errorf("%q is not a reference: use @1 for the first function of the command line, @1,@2 for a list", word)
		case n == 0 || int(n) >= f.number:
			return nil, fmt.Errorf("@%d does not refer to an earlier function", n)
		}
		refs = append(refs, int(n))
	}
	return refs, nil
}

// values returns the arguments in the form that the daemon takes. The functions
// that they refer to must be applied already.
func (f *applied) values(all []*applied) (values []any) {
	for _, arg := range f.args {
		var list []string
		for _, n := range arg.refs {
			fn := all[n-1].fn
			fd, fid := fn.Flow().FD(), fn.FID()
			if !arg.list {
				values = append(values, fd, fid)
			}
			list = append(list, fmt.Sprintf("%d@%d", fid, fd))
		}
		switch {
		case arg.number != nil:
			values = append(values, arg.number)
		case len(list) == 0:
			values = append(values, arg.text)
		case arg.list:
			values = append(values, strings.Join(list, ","))
		}
	}
	return values
}

// send applies f to the flow. The kinds of the arguments of a call in parentheses are as
// written; words become what the function takes.
func (f *applied) send(ctx context.Context, flow *mapi.Flow, all []*applied) (err error) {
	values := f.values(all)
	f.sent = make([]string, len(values))
	for i, v := range values {
		f.sent[i] = fmt.Sprint(v)
	}
	if f.typed {
		f.fn, err = flow.Apply(ctx, f.name, values...)
	} else {
		f.fn, err = flow.ApplyArray(ctx, f.name, f.sent)
	}
	return err
}
