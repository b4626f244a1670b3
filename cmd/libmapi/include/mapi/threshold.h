/*
 * mapi/threshold.h - arguments of THRESHOLD, and its events, one per read.
 */
#ifndef MAPI_THRESHOLD_H
#define MAPI_THRESHOLD_H

/* Type of the value, and how often it is looked at. */
#define TYPE_CHAR 0
#define TYPE_INT 1
#define TYPE_UNSIGNED_LONG_LONG 2
#define TR_POLL 64
#define TR_MW 128

/* The value, or its difference from the last one, is equal, above, below. */
#define TR_B_EQ 0
#define TR_B_POS 1
#define TR_B_NEG 2
#define TR_B_D_EQ 4
#define TR_B_D_POS 8
#define TR_B_D_NEG 16

/* A moment when the boundary was met. */
typedef struct threshold_event {
	unsigned long long timestamp; /* 2^-32 seconds since 1970 UTC */
	unsigned long long value;     /* that was compared; signed but for TYPE_UNSIGNED_LONG_LONG */
	int remaining;                /* events that may follow, -1 without a bound */
} threshold_event_t;

#endif
