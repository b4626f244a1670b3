package summary

// Names of operations and response codes, with a leading blank.
var (
	dnsOps = [16]string{
		"", " inv_q", " stat", " op3", " notify", " update", " op6", " op7",
		" op8", " updateA", " updateD", " updateDA", " updateM", " updateMA", " zoneInit", " zoneRef",
	}
	dnsCodes = [16]string{
		"", " FormErr", " ServFail", " NXDomain", " NotImp", " Refused", " YXDomain", " YXRRSet",
		" NXRRSet", " NotAuth", " NotZone", " Resp11", " Resp12", " Resp13", " Resp14", " NoChange",
	}
)

// Types of resource records whose data is printed (IANA, Domain Name System
// Parameters).
const (
	typeA     = 1
	typeNS    = 2
	typeCNAME = 5
	typeSOA   = 6
	typePTR   = 12
	typeMX    = 15
	typeTXT   = 16
	typeAAAA  = 28
	typeSRV   = 33
	typeDNAME = 39
	typeOPT   = 41
	typeSPF   = 99
)

// dnsTypes are the names of types.
var dnsTypes = map[uint16]string{
	typeA: "A", typeNS: "NS", 3: "MD", 4: "MF", typeCNAME: "CNAME", typeSOA: "SOA", 7: "MB", 8: "MG", 9: "MR", 10: "NULL",
	11: "WKS", typePTR: "PTR", 13: "HINFO", 14: "MINFO", typeMX: "MX", typeTXT: "TXT", 17: "RP", 18: "AFSDB",
	19: "X25", 20: "ISDN", 21: "RT", 22: "NSAP", 23: "NSAP_PTR", 24: "SIG", 25: "KEY", 26: "PX", 27: "GPOS",
	typeAAAA: "AAAA", 29: "LOC", 30: "NXT", 31: "EID", 32: "NIMLOC", typeSRV: "SRV", 34: "ATMA", 35: "NAPTR",
	36: "KX", 37: "CERT", 38: "A6", typeDNAME: "DNAME", 40: "SINK", typeOPT: "OPT", 42: "APL", 43: "DS", 44: "SSHFP",
	45: "IPSECKEY", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", typeSPF: "SPF", 100: "UINFO", 101: "UID", 102: "GID",
	103: "UNSPEC", 104: "UNSPECA", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 253: "MAILB", 254: "MAILA",
	255: "ANY", 256: "URI",
}

// Classes (IANA, DNS CLASSes).
const (
	classInternet = 1

	// multicastBit is not part of the class. It requests a unicast response, or
	// says that older answers are obsolete (RFC 6762, section 18).
	multicastBit = 0x8000
)

var dnsClasses = map[uint16]string{classInternet: "IN", 3: "CHAOS", 4: "HS", 255: "ANY"}

// kind prints a type.
func (m *message) kind(n uint16) {
	if name := dnsTypes[n]; name != "" {
		m.add(name)
		return
	}
	m.add("Type%", uint32(n))
}

func (m *message) class(n uint16) {
	if name := dnsClasses[n]; name != "" {
		m.add(" ")
		m.add(name)
		return
	}
	m.add(" (Class %)", uint32(n))
}

// The two upper bits of the first byte of a label (RFC 1035, section 4.1.4).
const (
	labelKind     = 0xc0
	labelPlain    = 0x00
	labelExtended = 0x40 // RFC 6891, section 5; none is in use
	labelPointer  = 0xc0
)

// maxName is the maximum length of the labels of a name in bytes (RFC 1035,
// section 2.3.4).
const maxName = 255

// skipName skips a name.
func (m *message) skipName() bool {
	for m.has(1) {
		n := int(m.b[m.at])
		m.at++
		switch {
		case n == 0:
			return true
		case n&labelKind == labelPointer:
			m.at++
			return true
		case n&labelKind != labelPlain:
			return false
		}
		m.at += n
	}
	return false
}

// name prints a name and moves to its end. The loop ends because each pointer
// must point further back than the last one, and names have a maximum length.
func (m *message) name() bool {
	at, first, length, behind := m.at, m.at, 0, -1
	for {
		if at >= len(m.b) {
			return false
		}
		n := int(m.b[at])
		at++
		switch {
		case n == 0:
			if length == 0 {
				m.add(".")
			}
			if behind < 0 {
				behind = at
			}
			m.at = behind
			return true
		case n&labelKind == labelPointer:
			if at >= len(m.b) {
				return false
			}
			to := n&^labelKind<<8 | int(m.b[at])
			if behind < 0 {
				behind = at + 1
			}
			if to >= first {
				m.add("<BAD PTR>")
				return false
			}
			at, first = to, to
			continue
		case n&labelKind == labelExtended:
			m.add("<ELT %>", uint32(n&^labelKind))
			return false
		case n&labelKind != labelPlain:
			m.add("<BAD LABEL TYPE>")
			return false
		}
		if length += n + 1; length > maxName {
			return false
		}
		if !m.characters(m.b[at:min(at+n, len(m.b))], n) {
			return false
		}
		m.add(".")
		at += n
	}
}

// characters prints n characters, as far as b has them. It returns false if b
// is shorter.
func (m *message) characters(b []byte, n int) bool {
	for _, c := range b {
		if c >= 0x80 {
			m.add("M-")
			c &= 0x7f
		}
		if c < ' ' || c == 0x7f {
			m.add("^")
			c ^= 0x40
		}
		m.text = append(m.text, c)
	}
	return len(b) == n
}
