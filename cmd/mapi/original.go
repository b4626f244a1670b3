package main

import (
	"path/filepath"
	"slices"
)

// original turns the command lines of the original mapiinfo and mapidump, which the
// tool understands under these names, into ours.
func original(args []string) []string {
	name, rest := filepath.Base(args[0]), args[1:]
	switch name {
	case "mapiinfo":
		return originalInfo(rest)
	case "mapidump":
		return originalDump(rest)
	}
	return rest
}

func originalInfo(args []string) []string {
	letters := map[string]string{
		"-d": "devices", "-l": "libraries", "-f": "functions", "-o": "flows", "-u": "flows",
	}
	out := []string{"info"}
	for _, a := range args {
		if section, ok := letters[a]; ok {
			a = section
		}
		out = append(out, a)
	}
	return out
}

// originalDump translates the letters that mean something else here: -s string,
// -e file of ERF, -l seconds. The others are the same, or unknown and refused. Values
// may be empty, and stay with their flags. What follows the flags is the filter.
func originalDump(args []string) []string {
	flags := map[string]string{
		"r": "--read", "e": "--read", "w": "--write", "c": "--count", "d": "--device", "s": "--search", "l": "--deadline",
	}
	out := []string{"dump"}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0][1] != '-' {
		letter, value := args[0][1:2], args[0][2:]
		args = args[1:]
		flag, known := flags[letter]
		switch {
		case !known:
			out = append(out, "-"+letter+value)
			continue
		case value == "" && len(args) == 0:
			return append(out, flag)
		case value == "":
			value, args = args[0], args[1:]
		}
		if letter == "l" {
			value += "s"
		}
		out = append(out, flag+"="+value)
	}
	return slices.Concat(out, args)
}
