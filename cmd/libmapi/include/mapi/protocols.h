/*
 * mapi/protocols.h - packet headers. Numbers are in network byte order.
 */
#ifndef MAPI_PROTOCOLS_H
#define MAPI_PROTOCOLS_H

#include <net/ethernet.h>

/* TCP flags on the wire. <mapi/hashsamp.h> has these names for its own flags. The header
   that is included later wins. */
#undef TCP_FIN
#undef TCP_SYN
#undef TCP_RST
#undef TCP_PSH
#undef TCP_ACK
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80
#define TCP_FLAGS 0x3f /* FIN to URG */

/* States of a TCP connection. */
#define LISTEN 1
#define SYN_RCVD 2
#define SYN_SENT 3
#define ESTB 4
#define FIN_RCVD 5
#define FIN_SENT 6
#define CLOSED 7

/* Parts of a variable off, the fragment field of an IPv4 header in host byte order: do
   not fragment, more fragments, fragment offset in units of 8 bytes. */
#define DF (off & 0x4000)
#define MF (off & 0x2000)
#define FRAG_OFF (off & 0x1fff)

typedef struct ip_addr {
	unsigned char byte1, byte2, byte3, byte4;
} ip_addr;

/* The structure of the system, which has the same fields as the original's. */
typedef struct ether_header ether_header;

typedef struct ip_header {
	unsigned char ver_ihl; /* version, and header length in units of 4 bytes */
	unsigned char tos;
	unsigned short tlen; /* total length in bytes, including this header */
	unsigned short id;
	unsigned short off; /* flags and fragment offset */
	unsigned char ttl;
	unsigned char ptcl;
	unsigned short sum;
	ip_addr saddr;
	ip_addr daddr;
} ip_header;

typedef struct tcp_header {
	unsigned short sport;
	unsigned short dport;
	unsigned int seq;
	unsigned int ack;
	unsigned int x2 : 4;  /* reserved */
	unsigned int off : 4; /* header length in units of 4 bytes */
	unsigned char flags;
	unsigned short win;
	unsigned short crc;
	unsigned short urp;
} tcp_header;

typedef struct udp_header {
	unsigned short sport;
	unsigned short dport;
	unsigned short length; /* bytes, including this header */
	unsigned short sum;
} udp_header;

#endif
