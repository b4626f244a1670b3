/*
 * mapi/anon_snort_decode.h - headers of packets, as the system has them, for sources
 * that include this file. The decoder whose name it bears is no part of the interface.
 */
#ifndef MAPI_ANON_SNORT_DECODE_H
#define MAPI_ANON_SNORT_DECODE_H

#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#endif
