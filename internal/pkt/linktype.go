package pkt

// Link types have two numbers: the DLT that filters, drivers and Packet know, and
// the one that files store (tcpdump.org/linktypes.html). They are the same but
// for a few old types, whose DLT differs between systems (libpcap, pcap-common.c).
var oldLinkTypes = [...]struct{ dlt, file uint16 }{
	{11, 100}, // ATM with LLC
	{12, 101}, // raw IP
	{15, 102}, // SLIP of BSD/OS
	{16, 103}, // PPP of BSD/OS
	{19, 106}, // classical IP over ATM
}

// DLTOfFile returns the DLT on Linux of a link type as files store it.
func DLTOfFile(linkType uint16) uint16 {
	for _, t := range oldLinkTypes {
		if t.file == linkType {
			return t.dlt
		}
	}
	return linkType
}

// FileLinkType returns the number by which files call the link type that is dlt
// here.
func FileLinkType(dlt uint16) uint16 {
	for _, t := range oldLinkTypes {
		if t.dlt == dlt {
			return t.file
		}
	}
	return dlt
}
