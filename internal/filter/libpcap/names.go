package libpcap

/*
#include <stddef.h>
#include <netdb.h>

#ifdef __GLIBC__
// Declared in glibc's <nss.h> since 2.1: replaces a line of nsswitch.conf.
extern int __nss_configure_lookup(const char *database, const char *services);

// There is no libnss_none. A database with this service finds nothing, and reads no
// file and makes no query.
static int pin_names(void)
{
	if (__nss_configure_lookup("hosts", "none") != 0 ||
	    __nss_configure_lookup("networks", "none") != 0 ||
	    __nss_configure_lookup("ethers", "none") != 0 ||
	    __nss_configure_lookup("services", "files") != 0 ||
	    __nss_configure_lookup("protocols", "files") != 0)
		return -1;
	// Older libraries load the code for "files" here, where loading is still allowed.
	getservbyname("http", "tcp");
	getprotobyname("tcp");
	return 0;
}

// These report whether a look-up gets an answer, even if the answer is "no such name".

static int protocols_answer(void)
{
	struct protoent entry, *found;
	char buf[1024];
	return getprotobyname_r("tcp", &entry, buf, sizeof buf, &found) == 0;
}

static int services_answer(void)
{
	struct servent entry, *found;
	char buf[1024];
	return getservbyname_r("http", "tcp", &entry, buf, sizeof buf, &found) == 0;
}
#else
static int pin_names(void) { return -1; }
static int protocols_answer(void) { return 0; }
static int services_answer(void) { return 0; }
#endif
*/
import "C"

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"gomapi/internal/mapierr"
)

var (
	pin    sync.Once // of name look-ups, for the process
	errPin error     // set by pin
)

// pinNames makes the C library of this process look up services and protocols in their
// files, and nothing else.
func pinNames() error {
	pin.Do(func() {
		if C.pin_names() != 0 {
			errPin = mapierr.New(mapierr.PcapOpenDead,
				"filter compiler: this C library cannot be prevented from looking up host names: glibc is needed")
		}
	})
	return errPin
}

// Reasons for look-ups without their file.
const (
	noProtocols = "names of protocols cannot be looked up in /etc/protocols: install netbase or use numbers"
	noServices  = "names of services cannot be looked up in /etc/services: install netbase or use numbers"
)

// withoutProtocols reports whether the meaning of expr depends on a look-up of a protocol
// that cannot be made. libpcap (nametoaddr.c) then silently uses protocol 0.
func withoutProtocols(expr string) bool {
	return namesProtocol(expr) && C.protocols_answer() == 0
}

// withoutServices reports whether services cannot be looked up.
func withoutServices() bool { return C.services_answer() == 0 }

// language are words of pcap-filter(7) that are never names, whatever precedes them. With
// more words withoutProtocols would refuse fewer expressions, but never too few.
var language = strings.Fields("and or not src dst host net mask port portrange proto protochain " +
	"ether ip ip6 arp rarp tcp udp sctp icmp icmp6 vlan mpls less greater len broadcast multicast")

// namesProtocol reports whether libpcap may look up a protocol: a word that can be a name
// comes after "proto" or "protochain". It may come at any distance: "ip proto 47 or gre"
// has two protocols.
func namesProtocol(expr string) bool {
	words := strings.FieldsFunc(expr, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune(`_.:-\`, c)
	})
	first := slices.IndexFunc(words, func(w string) bool { return w == "proto" || w == "protochain" })
	return first >= 0 && slices.ContainsFunc(words[first:], isName)
}

// isName reports whether a word is neither a word of the language, nor a number, nor an
// address. A backslash makes any word a name.
func isName(word string) bool {
	if strings.Contains(word, `\`) {
		return true
	}
	_, err := strconv.ParseUint(word, 0, 64)
	return err != nil && !slices.Contains(language, word) &&
		!strings.Contains(word, ":") && strings.Trim(word, "0123456789.") != ""
}
