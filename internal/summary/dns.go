package summary

import "encoding/binary"

// Ports of DNS (RFC 1035, section 4.2) and of multicast DNS (RFC 6762, section 5).
const (
	portDNS  = 53
	portMDNS = 5353
)

// The header of a message (RFC 1035, section 4.1.1): offsets and size in bytes.
const (
	dnsFlags       = 2
	dnsQuestions   = 4
	dnsAnswers     = 6
	dnsAuthorities = 8
	dnsAdditional  = 10
	dnsHead        = 12
)

// Flags of a message.
const (
	dnsResponse      = 0x8000
	dnsAuthoritative = 0x0400
	dnsTruncated     = 0x0200
	dnsDesired       = 0x0100
	dnsAvailable     = 0x0080
	dnsAuthentic     = 0x0020
	dnsUnchecked     = 0x0010

	// dnsUnexpected are the flags that are never set in a query.
	dnsUnexpected = 0x06cf
)

// maxDNS is the maximum length of the text for a message, in bytes. Names are
// compressed, so the text may be much longer than the message.
const maxDNS = 16 << 10

// isDNS reports whether a port is a port of DNS, and whether of multicast DNS.
func isDNS(src, dst uint16) (dns, multicast bool) {
	return src == portDNS || dst == portDNS, src == portMDNS || dst == portMDNS
}

// dns prints a DNS message: the questions, or the answers.
func (l *line) dns(p part, multicast bool) {
	if p.wire < dnsHead {
		l.add("domain [length % < 12] (invalid)", uint32(p.wire))
		return
	}
	if len(p.b) < dnsHead {
		l.cut("domain")
		return
	}
	m := message{line: l, b: p.b, at: dnsHead, multicast: multicast, limit: len(l.text) + maxDNS}
	told := false
	if m.flags()&dnsResponse != 0 {
		told = m.response()
	} else {
		told = m.query()
	}
	if !told {
		l.cut("domain")
		return
	}
	l.add(" (%)", uint32(p.wire))
}

// dnsStream prints the message in a TCP segment, where its length precedes it
// (RFC 1035, section 4.2.2). It does not decode a segment with a partial
// message or with several.
func (l *line) dnsStream(p part) {
	const prefix = 2
	switch {
	case p.wire < prefix:
		l.add(" [prefix length %] (invalid)", uint32(p.wire))
		return
	case len(p.b) < prefix:
		l.cut("domain")
		return
	}
	size := int(binary.BigEndian.Uint16(p.b))
	if p = p.from(prefix); size != p.wire {
		l.add(" [prefix length(%) != length(%)] (invalid)", uint32(size), uint32(p.wire))
		return
	}
	l.add(" ")
	l.dns(p, false)
}

// A message is a message being read. Methods that read return false if the
// bytes end or are invalid.
type message struct {
	*line
	b         []byte // captured bytes
	at        int    // offset of the next byte
	multicast bool
	limit     int // maximum length of the line
}

func (m *message) field(at int) uint16 { return binary.BigEndian.Uint16(m.b[at:]) }
func (m *message) flags() uint16       { return m.field(dnsFlags) }

// has reports whether n more bytes were captured.
func (m *message) has(n int) bool { return n <= len(m.b)-m.at }

// number reads a two-byte number, which must be there.
func (m *message) number() uint16 {
	n := m.field(m.at)
	m.at += 2
	return n
}

// response prints the answers.
func (m *message) response() bool {
	flags := m.flags()
	m.add("%", uint32(m.field(0)))
	m.add(dnsOps[flags>>11&15])
	m.add(dnsCodes[flags&15])
	m.mark(flags&dnsAuthoritative != 0, "*")
	m.mark(flags&dnsAvailable == 0, "-")
	m.mark(flags&dnsTruncated != 0, "|")
	m.mark(flags&dnsAuthentic != 0, "$")
	questions, answers := int(m.field(dnsQuestions)), int(m.field(dnsAnswers))
	if questions != 1 {
		m.add(" [%q]", uint32(questions))
	}
	for i := range questions {
		if i > 0 {
			m.add(",")
		}
		if !m.skipName() || len(m.text) > m.limit {
			return false
		}
		m.at += 4
	}
	m.add(" %/%/%", uint32(answers), uint32(m.field(dnsAuthorities)), uint32(m.field(dnsAdditional)))
	for i := range answers {
		if i > 0 {
			if m.at >= len(m.b) || len(m.text) > m.limit {
				return false
			}
			m.add(",")
		}
		if !m.resource() {
			return false
		}
	}
	return true
}

// query prints the questions.
func (m *message) query() bool {
	flags := m.flags()
	m.add("%", uint32(m.field(0)))
	m.add(dnsOps[flags>>11&15])
	m.mark(flags&dnsDesired != 0, "+")
	m.mark(flags&dnsUnchecked != 0, "%")
	if flags&dnsUnexpected != 0 {
		m.add(" [b2&3=0x")
		m.shortHex(uint32(flags))
		m.add("]")
	}
	const inverse = 1
	questions := int(m.field(dnsQuestions))
	if flags>>11&15 == inverse {
		m.count(questions, 0, "q")
		m.count(int(m.field(dnsAnswers)), 1, "a")
	} else {
		m.count(int(m.field(dnsAnswers)), 0, "a")
		m.count(questions, 1, "q")
	}
	m.count(int(m.field(dnsAuthorities)), 0, "n")
	m.count(int(m.field(dnsAdditional)), 0, "au")
	for i := range questions {
		if i > 0 && (m.at >= len(m.b) || len(m.text) > m.limit) || !m.question() {
			return false
		}
	}
	return true
}

// mark appends a sign if is is true.
func (m *message) mark(is bool, sign string) {
	if is {
		m.text = append(m.text, sign...)
	}
}

// count prints a number unless it is the usual one.
func (m *message) count(n, usual int, what string) {
	if n != usual {
		m.add(" [%", uint32(n))
		m.add(what)
		m.add("]")
	}
}

// question prints a question (RFC 1035, section 4.1.2).
func (m *message) question() bool {
	name := m.at
	if !m.skipName() || !m.has(4) {
		return false
	}
	m.add(" ")
	m.kind(m.number())
	class, how := m.number(), ""
	if m.multicast {
		if how = " (QM)"; class&multicastBit != 0 {
			how = " (QU)"
		}
		class &^= multicastBit
	}
	if class != classInternet {
		m.class(class)
	}
	m.add(how)
	m.add("? ")
	next := m.at
	m.at = name
	if !m.name() {
		return false
	}
	m.at = next
	return true
}
