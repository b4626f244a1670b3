/*
 * mapi/hashsamp.h - samples that HASHSAMP keeps, one per read.
 */
#ifndef MAPI_HASHSAMP_H
#define MAPI_HASHSAMP_H

#include <stdint.h>

/* Flags of a sample. */
#define HASHSAMP_SYN 1
#define HASHSAMP_ACK 2
#define HASHSAMP_RST 4
#define HASHSAMP_FIN 8
#define HASHSAMP_PSH 16

/* A packet. Addresses are in network order, the other numbers in that of the host. */
typedef struct hash_samp {
	uint32_t source_ip;
	uint32_t dest_ip;
	uint32_t sourceport;
	uint32_t destport;
	uint32_t sequence;            /* of TCP, otherwise 0 */
	uint32_t tcp_flags;           /* likewise */
	uint32_t protocol;            /* 6 TCP, 17 UDP */
	unsigned long long timestamp; /* 2^-32 seconds since 1970 UTC */
} hash_samp_t;

#endif
