package main

// #include "call.h"
import "C"

import (
	"context"
	"strings"

	"gomapi/internal/funcname"
	"gomapi/internal/rawview"
	"gomapi/mapi"
)

// lettersOf returns the argument letters for a program that was not compiled with our
// headers.
func (s *server) lettersOf(ctx context.Context, c *C.struct_call) error {
	f, err := s.flow(c, "apply")
	if err != nil {
		return err
	}
	letters, original, err := rawview.ArgDescr(ctx, f.Flow, text(c.text))
	put(c.letters[:], letters[:original])
	return err
}

// apply applies a function with the arguments of the C program. Surplus arguments are
// ignored, as in the original.
func (s *server) apply(ctx context.Context, c *C.struct_call) error {
	f, err := s.flow(c, "apply")
	if err != nil {
		return err
	}
	name := text(c.text)
	letters, _, err := rawview.ArgDescr(ctx, f.Flow, name)
	if err != nil {
		return err
	}
	var args []any
	for i := range min(len(letters), int(c.count)) {
		args = append(args, argument(letters[i], uint64(c.args[i]), c.wide>>i&1 != 0))
	}
	fn, err := f.Apply(ctx, name, args...)
	if err != nil {
		return err
	}
	return s.applied(c, f, fn)
}

// argument converts a word to the type that the argument letter requires. A text
// argument of 32 bits is no pointer, but a 0 that stands for NULL.
func argument(letter byte, word uint64, wide bool) any {
	switch {
	case letter == 'l' && wide:
		return word
	case strings.IndexByte("ircfl", letter) >= 0:
		return int64(word)
	case !wide:
		return nil
	case letter == 'w':
		return path(word)
	}
	return bytesAt(word)
}

func (s *server) applyArray(ctx context.Context, c *C.struct_call) error {
	f, err := s.flow(c, "apply")
	if err != nil {
		return err
	}
	args := texts(c.array, int(c.count))
	letters, _, err := rawview.ArgDescr(ctx, f.Flow, text(c.text))
	if err != nil {
		return err
	}
	fn, err := f.ApplyArray(ctx, text(c.text), args[:min(len(args), len(letters))])
	if err != nil {
		return err
	}
	return s.applied(c, f, fn)
}

// applied answers with the memory in which the values of a function lie.
func (s *server) applied(c *C.struct_call, f *flow, fn *mapi.Function) error {
	at, err := rawview.OfFunction(fn)
	if err != nil {
		return err
	}
	s.mu.Lock()
	f.functions = append(f.functions, function{fn, at})
	s.mu.Unlock()
	to := &c.function
	to.fid = C.int(fn.FID())
	to.slot = words(at.Result)
	to.size = C.int(at.Size)
	to.is_stats = flag(funcname.Plain(fn.Name()) == "STATS")
	to.ring, to.ring_size = memory(at.Ring), C.size_t(len(at.Ring))
	to.page = memory(at.Page)
	to.sock = -1
	if at.Socket != nil {
		to.sock, err = detach(at.Socket)
	}
	to.series, to.no_wait = flag(at.Series), flag(at.NoWait)
	return err
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
