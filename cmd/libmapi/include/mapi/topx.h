/*
 * mapi/topx.h - arguments and result of TOP: the most frequent values of a field.
 */
#ifndef MAPI_TOPX_H
#define MAPI_TOPX_H

#include <netinet/ip6.h>

#define TOPX_MAX_X 1000 /* maximum number of values */

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

/* A value. The result is the number of values, an unsigned int, followed by the values
   from byte 4. */
struct topx_result {
	unsigned int value;    /* a number, or an IPv4 address in network byte order */
	struct in6_addr addr6; /* an IPv6 address */
	sa_family_t family;    /* for addresses: AF_INET or AF_INET6 */
	unsigned int count;    /* packets */
	unsigned long long bytecount;
	unsigned int last_rst_secs; /* last reset: the lower 32 bits of microseconds since 1970 */
};

#endif
