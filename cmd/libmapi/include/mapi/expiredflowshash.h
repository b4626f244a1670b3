/*
 * mapi/expiredflowshash.h - result of EXPIRED_FLOWS: struct flows_stat, followed by the
 * flows.
 */
#ifndef MAPI_EXPIREDFLOWSHASH_H
#define MAPI_EXPIREDFLOWSHASH_H

#include <mapi/protocols.h>

/* Packets of one direction with the same addresses, ports and protocol. */
typedef struct flow_data {
	unsigned long long timestamp; /* of the first packet, 2^-32 seconds since 1970 UTC */
	unsigned long long packets_count;
	unsigned long long bytes_count;
	ip_addr saddr;
	ip_addr daddr;
	unsigned short sport; /* 0 except for TCP and UDP */
	unsigned short dport;
	unsigned char ptcl;
	unsigned char ttl_pkt1; /* of the first packet */
} flow_data;

/* Counters of flows, and of the packets of these flows. */
typedef struct flows_stat {
	unsigned int sent; /* number of flows that follow */
	unsigned int received;
	unsigned int expired;
	unsigned int ignored; /* flows with too few packets */
	unsigned int dropped;
	struct {
		unsigned int sent;
		unsigned int received;
		unsigned int expired;
		unsigned int ignored;
		unsigned int dropped;
	} packets;
} flows_stat;

#endif
