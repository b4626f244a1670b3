package stdflib

import (
	"context"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// Types of BINOP, with the original's numbers.
const (
	binopAdd = 0 // BINOP_ADD
	binopSub = 1 // BINOP_SUB
)

var binop = flib.Def{
	Name: "BINOP",
	Description: "Adds the results of two functions, or subtracts the second from the first, at each packet that reaches it. " +
		"Functions that it reads in its own flow should come before it, so that their results include the packet.",
	Args: []flib.Arg{
		{Name: "type", Kind: flib.Int, Doc: "mapi.BinopAdd (0) or mapi.BinopSub (1)"},
		{Name: "flow1", Kind: flib.Flow, Doc: "flow of the first function"},
		{Name: "function1", Kind: flib.Func, Doc: "first function; the first 8 bytes of its result are read"},
		{Name: "flow2", Kind: flib.Flow, Doc: "flow of the second function"},
		{Name: "function2", Kind: flib.Func, Doc: "second function"},
	},
	Result: "uint64: sum or difference modulo 2^64 in the unit of the functions; 2^64-1 if one of their flows is closed or not connected",
	Fields: []flib.Field{
		{Name: "value", Kind: flib.FieldUint64, Unit: flib.TargetUnit, Optional: true, When: "type=0"},
		{Name: "value", Kind: flib.FieldInt64, Unit: flib.TargetUnit, Optional: true},
	},
	Text:    "[{value}|no value]",
	Example: `flow.Apply(ctx, "BINOP", mapi.BinopSub, sent, received)`,
	Call:    `BINOP(BINOP_SUB, @1, @2)`,
	New:     newBinop,
}

// An operation is computed at each packet that reaches it. If the other results change
// between two packets, it does not follow.
type operation struct {
	left, right *flib.Ref
	subtract    bool
	out         *flib.Result
}

func newBinop(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	left, err := refer(env, "BINOP", mapierr.InvalidArgument2, args, 1)
	if err != nil {
		return nil, err
	}
	right, err := refer(env, "BINOP", mapierr.InvalidArgument4, args, 3)
	if err != nil {
		return nil, err
	}
	typ := args.Int(0)
	if typ != binopAdd && typ != binopSub {
		return nil, mapierr.New(mapierr.InvalidArgument1,
			"BINOP: argument 1 (type): %d is not an operation: use mapi.BinopAdd (0) or mapi.BinopSub (1)", typ)
	}
	out, err := env.NewResult(result.BinopSize)
	return &operation{left: left, right: right, subtract: typ == binopSub, out: out}, err
}

func (o *operation) Process(in []*flib.Packet) []*flib.Packet {
	o.out.Set(o.compute())
	return in
}

func (o *operation) compute() uint64 {
	left, ok1 := o.left.Value()
	right, ok2 := o.right.Value()
	switch {
	case !ok1 || !ok2:
		return uint64(result.BinopNoValue)
	case o.subtract:
		return left - right
	}
	return left + right
}
