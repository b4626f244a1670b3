package mapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// packed are the arguments of a call as messages, with duplicated file
// descriptors.
type packed struct {
	values  []*wire.Value
	files   []*os.File
	targets []*target
}

// pack converts the arguments of a function to messages and opens the files
// among them.
func (l *link) pack(ctx context.Context, name string, args []any) (_ *packed, err error) {
	p := &packed{}
	defer func() {
		if err != nil {
			wire.CloseAll(p.files)
			p.discard()
		}
	}()
	for _, a := range args {
		if err := l.packOne(ctx, p, name, a); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// packOne adds one argument. A *Function in place of a flow number stands for
// that number and its own.
func (l *link) packOne(ctx context.Context, p *packed, name string, arg any) (err error) {
	i := len(p.values)
	var v *wire.Value
	switch a := arg.(type) {
	case *os.File:
		v, err = l.duplicate(p, a)
	case *Flow, []*Flow, *Function, []*Function:
		return l.packRefs(ctx, p, name, a)
	case string, nil:
		var kind byte
		if kind, err = l.kind(ctx, name, i); err != nil {
			return err
		}
		path, given := a.(string)
		switch {
		case kind == 'w' && given:
			v, err = l.create(p, path)
		case kind == 'w':
			err = mapierr.New(ErrFile, "the path of the output file is empty")
		default:
			v, err = value(arg)
		}
	default:
		v, err = value(arg)
	}
	if err == nil && len(v.GetText()) > maxText {
		err = fmt.Errorf("%d bytes exceed the limit of %d for a message", len(v.GetText()), maxText)
	}
	if err != nil {
		return badArgument(i, err)
	}
	p.values = append(p.values, v)
	return nil
}

// maxText is the maximum length of a text argument in bytes. It leaves room for
// the other fields.
const maxText = wire.MaxMessage - 1<<10

// badArgument adds the number of argument i to err, unless err has a number.
func badArgument(i int, err error) error {
	var e *mapierr.Error
	if errors.As(err, &e) {
		return err
	}
	return mapierr.Wrap(mapierr.BadArgument(i), fmt.Sprintf("argument %d", i+1), err)
}

// create opens a file for writing. The file remains unchanged until accept.
func (l *link) create(p *packed, path string) (*wire.Value, error) {
	t, err := openTarget(path)
	if err != nil {
		return nil, err
	}
	p.targets = append(p.targets, t)
	return l.duplicate(p, t.file)
}

// duplicate duplicates a file for the message, so that the program, or the
// target, keeps its own.
func (l *link) duplicate(p *packed, f *os.File) (*wire.Value, error) {
	if err := l.refuseCapture(f); err != nil {
		return nil, err
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, mapierr.Wrap(ErrFile, f.Name(), err)
	}
	return p.add(os.NewFile(uintptr(fd), f.Name()), f.Name()), nil
}

// accept truncates the output files after the function was applied.
func (p *packed) accept() (err error) {
	for _, t := range p.targets {
		err = errors.Join(err, t.accept())
	}
	return err
}

// discard leaves the output files unchanged after a failed call.
func (p *packed) discard() {
	for _, t := range p.targets {
		t.discard()
	}
}

func (p *packed) add(f *os.File, path string) *wire.Value {
	p.files = append(p.files, f)
	return &wire.Value{Kind: &wire.Value_File{File: &wire.File{Index: uint32(len(p.files) - 1), Path: text(path)}}}
}

// value converts an argument that is not a file to a message. Durations and
// times are sent as text, which functions accept whatever the unit of the
// argument.
func value(arg any) (*wire.Value, error) {
	switch a := arg.(type) {
	case []byte:
		return &wire.Value{Kind: &wire.Value_Text{Text: a}}, nil
	case time.Duration:
		if a < 0 {
			return nil, fmt.Errorf("%v is negative", a)
		}
		return value(fmt.Sprintf("+%d.%09ds", a/time.Second, a%time.Second))
	case time.Time:
		return value(a.UTC().Format(time.RFC3339Nano))
	}
	v := reflect.ValueOf(arg)
	switch {
	case arg == nil:
		return nil, errors.New("it is nil")
	case v.Kind() == reflect.String:
		return &wire.Value{Kind: &wire.Value_Text{Text: []byte(v.String())}}, nil
	case v.CanInt():
		return &wire.Value{Kind: &wire.Value_Int{Int: v.Int()}}, nil
	case v.CanUint() && v.Uint() > math.MaxInt64:
		return &wire.Value{Kind: &wire.Value_Uint{Uint: v.Uint()}}, nil
	case v.CanUint():
		return &wire.Value{Kind: &wire.Value_Int{Int: int64(v.Uint())}}, nil
	}
	return nil, fmt.Errorf("a %T cannot be passed: use an integer, a string, []byte, a time.Duration or time.Time", arg)
}
