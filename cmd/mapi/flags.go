package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// once refuses flags with a value that are given a second time, for cmd and all
// below it: one of the two values would be forgotten in silence.
func once(cmd *cobra.Command) {
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			if f.NoOptDefVal == "" {
				f.Value = &onceValue{Value: f.Value}
				if f.DefValue == "0s" {
					f.DefValue = "" // none, which help does not tell
				}
			}
		})
	}
	for _, c := range cmd.Commands() {
		once(c)
	}
}

// A onceValue can be set once.
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

// errTwice is a value too many.
var errTwice = errors.New("it is given twice")
