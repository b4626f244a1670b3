package summary

import "encoding/binary"

// Options of TCP (IANA, TCP Parameters).
const (
	optionEnd       = 0
	optionNop       = 1
	optionMSS       = 2
	optionScale     = 3
	optionSACKOK    = 4
	optionSACK      = 5
	optionTimestamp = 8
	optionFastOpen  = 34
)

// A fault is a reason that ends a list of options.
type fault int

const (
	none      fault = iota
	noHead          // kind or length not captured
	noData          // data not captured
	malformed       // exceeds the header
)

// tcpOptions prints the options, which p.wire counts; the captured bytes may
// continue after them. It returns false if a fault in them ends the line.
func (l *line) tcpOptions(p part) bool {
	l.add(", options [")
	for first := true; p.wire > 0; first = false {
		if !first {
			l.add(",")
		}
		used, f := l.tcpOption(p)
		if f != none {
			l.tcpFault(f, first)
			return false
		}
		if p.b[0] == optionEnd {
			break
		}
		p = p.from(used)
	}
	l.add("]")
	return true
}

// tcpFault prints a fault, which ends the line.
func (l *line) tcpFault(f fault, first bool) {
	end := ""
	switch f {
	case malformed:
		l.add("[bad opt]")
		end = "]"
	case noHead:
		l.cut("tcp")
	case noData:
		l.cut("tcp")
		end = ">"
	}
	if !first {
		l.add(end)
	}
}

// tcpOption prints the option at the start of p and returns the size of its
// kind. If the option has another length than its kind, it prints that length.
// The next option is expected at this length.
func (l *line) tcpOption(p part) (used int, f fault) {
	switch {
	case len(p.b) == 0:
		return 0, noHead
	case p.b[0] == optionEnd:
		l.add("eol")
		return 1, none
	case p.b[0] == optionNop:
		l.add("nop")
		return 1, none
	case len(p.b) < 2:
		return 0, noHead
	}
	kind, length := p.b[0], int(p.b[1])
	if length < 2 || length > p.wire {
		return 0, malformed
	}
	used, f = l.tcpOptionData(kind, p.from(2), length-2)
	used += 2
	if f == none && used != length {
		l.add("[len %]", uint32(length))
	}
	return used, f
}

// tcpOptionData prints the data of an option; size is its length.
func (l *line) tcpOptionData(kind uint8, p part, size int) (used int, f fault) {
	switch kind {
	case optionMSS:
		l.add("mss")
		return 2, l.tcpOptionNumber(" %", p, 2)
	case optionScale:
		l.add("wscale")
		return 1, l.tcpOptionNumber(" %", p, 1)
	case optionSACKOK:
		l.add("sackOK")
		return 0, none
	case optionSACK:
		l.add("sack")
		return size, l.sack(p, size)
	case optionTimestamp:
		l.add("TS")
		if f := p.has(8); f != none {
			return 8, f
		}
		l.add(" val % ecr %", binary.BigEndian.Uint32(p.b), binary.BigEndian.Uint32(p.b[4:]))
		return 8, none
	case optionFastOpen:
		l.add("tfo")
		return size, l.fastOpen(p, size)
	}
	l.add("unknown-%", uint32(kind))
	if size > 0 {
		l.add(" 0x")
	}
	l.hexBytes(p.b[:min(size, len(p.b))])
	return size, p.has(size)
}

// has returns the fault that prevents reading size bytes of options, if any.
func (p part) has(size int) fault {
	switch {
	case size > p.wire:
		return malformed
	case size > len(p.b):
		return noData
	}
	return none
}

// tcpOptionNumber prints text and a number of 1 or 2 bytes.
func (l *line) tcpOptionNumber(text string, p part, size int) fault {
	if f := p.has(size); f != none {
		return f
	}
	switch size {
	case 1:
		l.add(text, uint32(p.b[0]))
	case 2:
		l.add(text, uint32(binary.BigEndian.Uint16(p.b)))
	}
	return none
}

// sack prints selective acknowledgments (RFC 2018, section 3).
func (l *line) sack(p part, size int) fault {
	if size%8 != 0 {
		l.add(" invalid sack")
		return none
	}
	l.add(" % ", uint32(size/8))
	for ; size > 0; size, p = size-8, p.from(8) {
		if f := p.has(8); f != none {
			return f
		}
		l.add("{%:%}", binary.BigEndian.Uint32(p.b), binary.BigEndian.Uint32(p.b[4:]))
	}
	return none
}

// fastOpen prints a cookie (RFC 7413, section 4.1.1).
func (l *line) fastOpen(p part, size int) fault {
	if f := p.has(size); f != none {
		return f
	}
	switch {
	case size == 0:
		l.add("  cookiereq")
	case size%2 != 0 || size < 4 || size > 16:
		l.add("  (invalid)")
	default:
		l.add("  cookie ")
		l.hexBytes(p.b[:size])
	}
	return none
}
