package stdflib

import (
	"gomapi/flib"
	"gomapi/internal/mapierr"
)

// refer finds the function to which two arguments refer: a flow, args[at], and a function
// of it, args[at+1]. name is the function that has these arguments. Errors have the
// number code.
func refer(env flib.Env, name string, code mapierr.Code, args flib.Args, at int) (*flib.Ref, error) {
	ref, err := env.Refer(args.Int(at), args.Int(at+1))
	if err != nil {
		return nil, mapierr.New(code, "%s: arguments %d and %d: %v; first apply the function that it reads", name, at+1, at+2, err)
	}
	return ref, nil
}
