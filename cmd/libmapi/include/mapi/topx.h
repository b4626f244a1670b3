/*
 * mapi/topx.h - arguments and result of TOP: the most frequent values of a field.
 */
#ifndef MAPI_TOPX_H
#define MAPI_TOPX_H

#include <netinet/ip6.h>

#define TOPX_MAX_X 1000 /* values that may be asked for */

/* Protocol of the field. */
#define TOPX_IP 1
#define TOPX_TCP 2
#define TOPX_UDP 3
#define TOPX_ICMP 4

/* Order of the values. */
#define SORT_BY_PACKETS 1
#define SORT_BY_BYTES 2

/* The field. */
enum topxDefs {
	TOPX_IP_TOS = 1,
	TOPX_IP_LENGTH,
	TOPX_IP_ID,
	TOPX_IP_OFFSET,
	TOPX_IP_TTL,
	TOPX_IP_PROTOCOL,
	TOPX_IP_CHECKSUM,
	TOPX_IP_SRCIP,
	TOPX_IP_DSTIP,
	TOPX_TCP_SRCPORT,
	TOPX_TCP_DSTPORT,
	TOPX_TCP_SEQ,
	TOPX_TCP_ACK,
	TOPX_TCP_FLAGS,
	TOPX_TCP_WIN,
	TOPX_TCP_CRC,
	TOPX_TCP_URGENT,
	TOPX_UDP_SRCPORT,
	TOPX_UDP_DSTPORT,
	TOPX_UDP_LENGTH,
	TOPX_UDP_CHECKSUM,
};

/* A value. The result is their number, an unsigned int, and from byte 4 on the values. */
struct topx_result {
	unsigned int value;    /* a number, or an IPv4 address in network order */
	struct in6_addr addr6; /* an IPv6 address */
	sa_family_t family;    /* AF_INET, AF_INET6 for addresses */
	unsigned int count;    /* packets */
	unsigned long long bytecount;
	unsigned int last_rst_secs; /* last reset: microseconds since 1970, the lower 32 bits */
};

#endif
