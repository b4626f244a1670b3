/*
 * mapi/pktinfo.h - arguments of PKTINFO.
 */
#ifndef MAPI_PKTINFO_H
#define MAPI_PKTINFO_H

enum pktinfo {
	PKT_TS = 0, /* time stamp, 2^-32 seconds since 1970 UTC */
	PKT_SIZE,   /* bytes on the wire */
};

#endif
