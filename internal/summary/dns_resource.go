package summary

// resourceHead is the size of the fields between the name of a record and its
// data: type, class, time to live, length (RFC 1035, section 4.1.3).
const resourceHead = 10

// dnssecOK is a flag of OPT records, in the third byte of the time-to-live
// field (RFC 3225, section 3).
const dnssecOK = 0x80

// resource prints a record and moves to its end. It prints nothing if the fixed
// fields were not captured.
func (m *message) resource() bool {
	if m.more {
		m.add(" ")
		if !m.name() {
			return false
		}
	} else if !m.skipName() {
		m.at = len(m.b)
		return true
	}
	if !m.has(resourceHead) {
		m.at = len(m.b)
		return true
	}
	kind, class := m.number(), m.number()
	flush := m.multicast && class&multicastBit != 0
	if m.multicast {
		class &^= multicastBit
	}
	if class != classInternet && kind != typeOPT {
		m.class(class)
	}
	m.mark(flush && kind != typeOPT, " (Cache flush)")
	extended := m.has(4) && kind == typeOPT && m.b[m.at+2]&dnssecOK != 0
	m.at += 4 // time to live
	length := int(m.number())
	m.add(" ")
	m.kind(kind)
	behind := m.at + length
	if behind > len(m.b) || !m.data(kind, class, behind) {
		return false
	}
	m.mark(extended, " DO")
	m.at = behind
	return true
}

// data prints the data of a record, which ends at behind.
func (m *message) data(kind, class uint16, behind int) bool {
	switch kind {
	case typeA:
		return m.host(ipv4Address)
	case typeAAAA:
		return m.host(ipv6Address)
	case typeNS, typeCNAME, typePTR, typeDNAME:
		m.add(" ")
		return m.name()
	case typeMX:
		return m.exchange()
	case typeSRV:
		return m.service()
	case typeTXT, typeSPF:
		return m.strings(behind)
	case typeSOA:
		return !m.more || m.authority()
	case typeOPT:
		m.add(" UDPsize=%", uint32(class))
	}
	return true
}

func (m *message) host(size int) bool {
	if !m.has(size) {
		return false
	}
	m.add(" ")
	m.address(m.b[m.at : m.at+size])
	return true
}

// authority prints an SOA record.
func (m *message) authority() bool {
	for range 2 {
		m.add(" ")
		if !m.name() {
			return false
		}
	}
	for range 5 {
		if !m.has(4) {
			return false
		}
		m.add(" %", uint32(m.number())<<16|uint32(m.number()))
	}
	return true
}

// exchange prints the host and preference of an MX record.
func (m *message) exchange() bool {
	m.add(" ")
	if !m.has(2) {
		return false
	}
	preference := m.number()
	if !m.name() {
		return false
	}
	m.add(" %", uint32(preference))
	return true
}

// service prints host, port, priority and weight of a service (RFC 2782).
func (m *message) service() bool {
	m.add(" ")
	if !m.has(6) {
		return false
	}
	priority, weight, port := m.number(), m.number(), m.number()
	if !m.name() {
		return false
	}
	m.add(":% % %", uint32(port), uint32(priority), uint32(weight))
	return true
}

// strings prints texts; each has its length before it.
func (m *message) strings(behind int) bool {
	for m.at < behind {
		if !m.has(1) {
			return false
		}
		n := int(m.b[m.at])
		m.at++
		m.add(` "`)
		all := m.characters(m.b[m.at:min(m.at+n, len(m.b))], n)
		m.at += n
		m.add(`"`)
		if !all {
			return false
		}
	}
	return true
}

// shortHex appends n in hexadecimal without leading zeros.
func (l *line) shortHex(n uint32) {
	digits := 1
	for digits < 8 && n>>(4*digits) != 0 {
		digits++
	}
	l.hex(n, digits)
}
