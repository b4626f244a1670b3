package main

import (
	"errors"
	"path/filepath"
	"slices"
)

// originalHelp is the help of the tool when it is called as a program of the
// original.
var originalHelp = map[string]string{
	"mapiinfo": `mapiinfo shows the devices, function libraries and functions of the monitoring daemon
mapid, or one of these. It is "mapi info" with the flags of the original.

Usage:
  mapiinfo [-d | -l | -f | -o] [flags]

Flags:
  -d    show the devices
  -l    show the function libraries
  -f    show the functions with their arguments
  -o    show the flows of your programs with their functions (as root: all flows)
  -u    the same as -o
  -h    show this help

` + commonHelp + `"mapi info --help" lists all flags.
`,
	"mapidump": `mapidump prints the packets of a device or a capture file that match a filter, or
writes them to a file. It is "mapi dump" with the flags of the original.

Usage:
  mapidump [-d DEVICE | -r FILE] [flags] [filter]

Flags:
  -d DEVICE    capture on DEVICE (default: the first that works)
  -r FILE      read packets from the capture FILE
  -e FILE      the same as -r
  -w FILE      write packets to FILE, replacing its content; - is standard output
  -c N         end after N packets
  -s BYTES     select packets with BYTES within the first 1500 bytes, in the syntax of STR_SEARCH
  -l SECONDS   end after SECONDS
  -h           show this help

The flags -a, -i, -j, -v, -x and -X of the original do not exist.

` + commonHelp + `"mapi dump --help" lists all flags.
`,
}

const commonHelp = `The long flags of mapi, such as --json and --socket, work too.
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
