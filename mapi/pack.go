package mapi

import (
	"context"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"

	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// packed are the arguments of a call as they travel, with descriptors of their
// own.
type packed struct {
	values []*wire.Value
	files  []*os.File
}

// pack makes messages of the arguments of a function and opens the files among
// them.
func (l *link) pack(ctx context.Context, name string, args []any) (_ *packed, err error) {
	p := &packed{}
	defer func() {
		if err != nil {
			wire.CloseAll(p.files)
		}
	}()
	for i, a := range args {
		v, err := l.packOne(ctx, p, name, i, a)
		if err != nil {
			return nil, err
		}
		p.values = append(p.values, v)
	}
	return p, nil
}

func (l *link) packOne(ctx context.Context, p *packed, name string, i int, arg any) (*wire.Value, error) {
	switch a := arg.(type) {
	case *os.File:
		return p.duplicate(a)
	case string:
		isFile, err := l.takesFile(ctx, name, i)
		if err != nil {
			return nil, err
		}
		if isFile {
			return p.create(a)
		}
	case nil:
		isFile, err := l.takesFile(ctx, name, i)
		if err != nil {
			return nil, err
		}
		if isFile {
			return nil, mapierr.New(ErrFile, "no path of the file to write")
		}
	}
	v, err := value(arg)
	if err != nil {
		return nil, mapierr.Wrap(mapierr.BadArgument(i), fmt.Sprintf("argument %d", i+1), err)
	}
	return v, nil
}

// create opens a file for writing as the original does.
func (p *packed) create(path string) (*wire.Value, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, mapierr.Wrap(ErrFile, "open the file to write", err)
	}
	return p.add(f, path), nil
}

// duplicate passes a file that the program has opened, and keeps.
func (p *packed) duplicate(f *os.File) (*wire.Value, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, mapierr.Wrap(ErrFile, f.Name(), err)
	}
	return p.add(os.NewFile(uintptr(fd), f.Name()), f.Name()), nil
}

func (p *packed) add(f *os.File, path string) *wire.Value {
	p.files = append(p.files, f)
	return &wire.Value{Kind: &wire.Value_File{File: &wire.File{Index: uint32(len(p.files) - 1), Path: text(path)}}}
}

// takesFile reports whether argument i of a function is a file. What functions
// take is asked once per connection.
func (l *link) takesFile(ctx context.Context, name string, i int) (bool, error) {
	if _, rest, ok := strings.Cut(name, ":"); ok {
		name = rest
	}
	name, _, _ = strings.Cut(name, "!")
	l.catalogMu.Lock()
	defer l.catalogMu.Unlock()
	if l.fileArgs == nil {
		args, err := l.fileArguments(ctx)
		if err != nil {
			return false, err
		}
		l.fileArgs = args
	}
	return l.fileArgs[fileArg{name, i}], nil
}

// fileArg is an argument of a function that is a file.
type fileArg struct {
	function string
	index    int
}

// fileArguments asks the daemon for the functions of all libraries.
func (l *link) fileArguments(ctx context.Context) (map[fileArg]bool, error) {
	files := make(map[fileArg]bool)
	for lib := 0; ; lib++ {
		functions, err := every(ErrNotSupported, -1, func(f LibFunctInfo) int { return f.ID },
			func(after int) ([]LibFunctInfo, error) { return l.libraryFunctions(ctx, lib, after, true, pageLimit) })
		if err != nil || len(functions) == 0 {
			return files, err
		}
		for _, f := range functions {
			for i, letter := range f.ArgDescr {
				if letter == 'w' {
					files[fileArg{f.Name, i}] = true
				}
			}
		}
	}
}

// value makes the message of an argument that is no file.
func value(arg any) (*wire.Value, error) {
	if b, ok := arg.([]byte); ok {
		return &wire.Value{Kind: &wire.Value_Text{Text: b}}, nil
	}
	v := reflect.ValueOf(arg)
	switch {
	case v.Kind() == reflect.String:
		return &wire.Value{Kind: &wire.Value_Text{Text: []byte(v.String())}}, nil
	case v.CanInt():
		return &wire.Value{Kind: &wire.Value_Int{Int: v.Int()}}, nil
	case v.CanUint() && v.Uint() > math.MaxInt64:
		return &wire.Value{Kind: &wire.Value_Uint{Uint: v.Uint()}}, nil
	case v.CanUint():
		return &wire.Value{Kind: &wire.Value_Int{Int: int64(v.Uint())}}, nil
	}
	return nil, fmt.Errorf("a %T cannot be passed: use an integer, a string or []byte", arg)
}
