package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// once rejects flags with a value that are given twice, for cmd and its
// sub-commands. Otherwise the first value would be lost silently.
func once(cmd *cobra.Command) {
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			if f.NoOptDefVal == "" {
				f.Value = &onceValue{Value: f.Value}
				if f.DefValue == "0s" {
					f.DefValue = "" // empty: help shows no default
				}
			}
		})
	}
	for _, c := range cmd.Commands() {
		once(c)
	}
}

// A onceValue can be set only once.
type onceValue struct {
	pflag.Value
	given bool
}

func (v *onceValue) Set(text string) error {
	if v.given {
		return errTwice
	}
	v.given = true
	return v.Value.Set(text)
}

// errTwice rejects the second value.
var errTwice = errors.New("it is given more than once")
