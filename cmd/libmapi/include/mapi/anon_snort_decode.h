/*
 * mapi/anon_snort_decode.h - packet headers of the system, for existing programs that
 * include this file. The interface does not contain the Snort decoder.
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
