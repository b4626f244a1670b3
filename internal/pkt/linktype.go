package pkt

// Link types have two numbers: the DLT, which filters, drivers and Packet use,
// and the number in files (tcpdump.org/linktypes.html). They are equal except
// for a few old types, whose DLT differs between systems (libpcap,
// pcap-common.c).
var oldLinkTypes = [...]struct{ dlt, file uint16 }{
	{11, 100}, // ATM with LLC
	{12, 101}, // raw IP
	{15, 102}, // SLIP of BSD/OS
	{16, 103}, // PPP of BSD/OS
	{19, 106}, // classical IP over ATM
}

// DLTOfFile returns the DLT on Linux for the link type number in a file.
func DLTOfFile(linkType uint16) uint16 {
	for _, t := range oldLinkTypes {
		if t.file == linkType {
			return t.dlt
		}
	}
	return linkType
}

// FileLinkType returns the link type number in files for a DLT.
func FileLinkType(dlt uint16) uint16 {
	for _, t := range oldLinkTypes {
		if t.dlt == dlt {
			return t.file
		}
	}
	return dlt
}
