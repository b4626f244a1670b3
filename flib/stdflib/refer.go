package stdflib

import (
	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// refer finds the function that two arguments of name from index at on stand
// for: a flow and a function of it. Errors have the number code.
func refer(env flib.Env, name string, code mapierr.Code, args flib.Args, at int) (*flib.Ref, error) {
	ref, err := env.Refer(args.Int(at), args.Int(at+1))
	if err != nil {
		return nil, mapierr.New(code, "%s: arguments %d and %d: %v; apply the function that it reads first", name, at+1, at+2, err)
	}
	return ref, nil
}
