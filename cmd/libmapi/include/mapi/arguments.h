/*
 * mapi/arguments.h - constants that functions of the standard library take as
 * arguments. Included by mapi.h.
 */
#ifndef MAPI_ARGUMENTS_H
#define MAPI_ARGUMENTS_H

/* TO_BUFFER: taking a packet waits for one, or does not. */
#define WAIT 0
#define NOWAIT 1

/* SAMPLE: every n-th packet, or a packet with a probability of n per cent. */
#define PERIODIC 2
#define DETERMINISTIC PERIODIC
#define PROBABILISTIC 3

/* PKTINFO: time stamp, or length on the wire. */
#define PKT_TS 0
#define PKT_SIZE 1

/* BINOP. */
#define BINOP_ADD 0
#define BINOP_SUB 1

/* RES2FILE: bytes, a number, a time, a STATS. */
#define R2F_RAW 0
#define R2F_ULLSTR 1
#define R2F_ULLSEC 2
#define R2F_STATS 3

/* THRESHOLD: type of the value, and how often it is looked at. */
#define TYPE_CHAR 0
#define TYPE_INT 1
#define TYPE_UNSIGNED_LONG_LONG 2
#define TR_POLL 64
#define TR_MW 128

/* THRESHOLD: value, or its difference from the last one, equal, above, below. */
#define TR_B_EQ 0
#define TR_B_POS 1
#define TR_B_NEG 2
#define TR_B_D_EQ 4
#define TR_B_D_POS 8
#define TR_B_D_NEG 16

#endif
