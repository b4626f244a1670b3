package libpcap

/*
#include <stddef.h>
#include <netdb.h>

#ifdef __GLIBC__
// Declared in glibc's <nss.h> since 2.1: replaces a line of nsswitch.conf.
extern int __nss_configure_lookup(const char *database, const char *services);

// There is no libnss_none: databases of that service answer nothing, without
// reading a file or asking anybody.
static int pin_names(void)
{
	if (__nss_configure_lookup("hosts", "none") != 0 ||
	    __nss_configure_lookup("networks", "none") != 0 ||
	    __nss_configure_lookup("ethers", "none") != 0 ||
	    __nss_configure_lookup("services", "files") != 0 ||
	    __nss_configure_lookup("protocols", "files") != 0)
		return -1;
	// Older libraries load the code for "files" now, while they may.
	getservbyname("http", "tcp");
	getprotobyname("tcp");
	return 0;
}
#else
static int pin_names(void) { return -1; }
#endif
*/
import "C"

import "gomapi/internal/mapierr"

// pinNames makes the C library of this process look up services and protocols
// in their files, and nothing else at all.
func pinNames() error {
	pin.Do(func() {
		if C.pin_names() != 0 {
			errPin = mapierr.New(mapierr.PcapOpenDead,
				"filter compiler: this C library cannot be kept from looking up host names; glibc is needed")
		}
	})
	return errPin
}
