package main

import (
	"errors"
	"path/filepath"
	"slices"
)

// originalHelp is the help of the tool when it is called as a program of the
// original.
var originalHelp = map[string]string{
	"mapiinfo": `mapiinfo shows what the monitoring daemon mapid has: its devices, function libraries
and functions, or one of these. It is "mapi info" with the letters of the original.

Usage:
  mapiinfo [-d | -l | -f | -o] [flags]

Flags:
  -d    devices
  -l    function libraries
  -f    functions, with their arguments
  -o    flows of your programs, with their functions (all for root)
  -u    the same
  -h    this help

` + commonHelp + `"mapi info --help" has all flags.
`,
	"mapidump": `mapidump prints packets of a device, or of a capture file, that match a filter, or
writes them to a file. It is "mapi dump" with the letters of the original.

Usage:
  mapidump [-d DEVICE | -r FILE] [flags] [filter]

Flags:
  -d DEVICE    take packets of DEVICE (default the first that works)
  -r FILE      take packets of the capture FILE
  -e FILE      the same
  -w FILE      write packets to FILE, which is emptied first; - is standard output
  -c N         end after N packets
  -s BYTES     take only packets with BYTES in the first 1500, written as for STR_SEARCH
  -l SECONDS   end after SECONDS
  -h           this help

The original's -a, -i, -j, -v, -x and -X are not there.

` + commonHelp + `"mapi dump --help" has all flags.
`,
}

const commonHelp = `Flags of mapi that are written out can be given as well, such as --json or --socket;
`

// original translates the command lines of the original mapiinfo and mapidump.
// The tool accepts these when it is called by these names.
func original(args []string) ([]string, error) {
	name, rest := filepath.Base(args[0]), args[1:]
	switch name {
	case "mapiinfo":
		return originalInfo(rest), nil
	case "mapidump":
		return originalDump(rest)
	}
	return rest, nil
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

// originalDump translates flags with another meaning in mapi dump: -s string,
// -e ERF file, -l seconds. It rejects all other short flags, because ours
// differ from them. Empty values stay with their flags. Long flags are ours.
// The rest is the filter.
func originalDump(args []string) ([]string, error) {
	flags := map[string]string{
		"r": "--read", "e": "--read", "w": "--write", "c": "--count", "d": "--device", "s": "--search", "l": "--deadline",
	}
	out := []string{"dump"}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		if args[0][1] == '-' {
			n := 1
			if slices.Contains([]string{"--socket", "--deadline"}, args[0]) {
				n = min(2, len(args))
			}
			out, args = append(out, args[:n]...), args[n:]
			continue
		}
		letter, value := args[0][1:2], args[0][2:]
		args = args[1:]
		flag, known := flags[letter]
		switch {
		case letter == "h":
			return append(out, "--help"), nil
		case !known:
			return nil, usageError{errors.New("there is no flag -" + letter)}
		case value == "" && len(args) == 0:
			return nil, usageError{errors.New("a value is missing after -" + letter)}
		case value == "":
			value, args = args[0], args[1:]
		}
		if letter == "l" {
			value += "s"
		}
		out = append(out, flag+"="+value)
	}
	return slices.Concat(out, args), nil
}
