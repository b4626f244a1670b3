/*
 * mapi/hashsamp.h - samples that HASHSAMP keeps, one per read.
 */
#ifndef MAPI_HASHSAMP_H
#define MAPI_HASHSAMP_H

/* Flags of a sample. */
#define HASHSAMP_SYN 1
#define HASHSAMP_ACK 2
#define HASHSAMP_RST 4
#define HASHSAMP_FIN 8
#define HASHSAMP_PSH 16

/* The same flags under the names of the original. <mapi/protocols.h> has these names for
   the flags on the wire. The header that is included later wins. */
#undef TCP_SYN
#undef TCP_ACK
#undef TCP_RST
#undef TCP_FIN
#undef TCP_PSH
#define TCP_SYN HASHSAMP_SYN
#define TCP_ACK HASHSAMP_ACK
#define TCP_RST HASHSAMP_RST
#define TCP_FIN HASHSAMP_FIN
#define TCP_PSH HASHSAMP_PSH

/* A packet. Addresses are in network byte order, the other numbers in host byte order. */
typedef struct sample {
	unsigned int source_ip;
	unsigned int dest_ip;
	unsigned int sourceport;
	unsigned int destport;
	unsigned int sequence;        /* TCP sequence number; 0 if not TCP */
	unsigned int tcp_flags;       /* HASHSAMP flags; 0 if not TCP */
	unsigned int protocol;        /* 6 TCP, 17 UDP */
	unsigned long long timestamp; /* 2^-32 seconds since 1970 UTC */
} hash_samp_t;

#endif
