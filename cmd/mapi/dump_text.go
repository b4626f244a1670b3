package main

import (
	"net"

	"github.com/spf13/pflag"

	"gomapi/internal/summary"
	"gomapi/mapi"
)

// lineFlags are the flags of tcpdump that select the output.
type lineFlags struct {
	numbers bool // -n: always on
	link    bool // -e
	verbose bool // -v
	list    bool // -D: list devices, capture nothing
}

func (l *lineFlags) addTo(f *pflag.FlagSet) {
	f.BoolVarP(&l.list, "list-devices", "D", false, "list the devices with their numbers, and exit")
	f.BoolVarP(&l.link, "link", "e", false, "print link-layer addresses and VLAN tags")
	f.BoolVarP(&l.verbose, "verbose", "v", false, "print IP headers and check checksums")
	more := f.Lookup("verbose")
	more.Value = &onceValue{Value: more.Value} // -vv would add nothing
	f.BoolVarP(&l.numbers, "numbers", "n", false, "accepted and ignored: addresses and ports are always numbers")
}

// options returns the options of lines. On a live device, interface numbers
// become the names on this host.
func (l *lineFlags) options(live bool) summary.Options {
	o := summary.Options{Link: l.link, Verbose: l.verbose}
	if live {
		o.Interface = make(interfaceNames).of
	}
	return o
}

// interfaceNames are the names of interfaces by their numbers.
type interfaceNames map[uint32]string

// maxNames is the maximum number of names to remember.
const maxNames = 4096

// of looks up a name and remembers it.
func (n interfaceNames) of(index uint32) string {
	name, known := n[index]
	if known {
		return name
	}
	name = "?"
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		name = i.Name
	}
	if len(n) < maxNames {
		n[index] = name
	}
	return name
}

// lines appends a line for each packet.
func (l *lineFlags) lines(live bool) func(b []byte, p *mapi.Packet) []byte {
	o := l.options(live)
	return func(b []byte, p *mapi.Packet) []byte {
		b = p.Time().Local().AppendFormat(b, "15:04:05.000000 ")
		b = o.Append(b, p.Data, p.LinkType, p.Wlen)
		return append(b, '\n')
	}
}
