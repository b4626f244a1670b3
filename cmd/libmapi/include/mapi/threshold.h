/*
 * mapi/threshold.h - arguments of THRESHOLD, and its events. A read returns one event.
 */
#ifndef MAPI_THRESHOLD_H
#define MAPI_THRESHOLD_H

/* Type of the value, and how often THRESHOLD checks it. */
#define TYPE_CHAR 0
#define TYPE_INT 1
#define TYPE_UNSIGNED_LONG_LONG 2
#define TR_POLL 64
#define TR_MW 128

/* Conditions: the value, or its difference from the last value (D), is equal to the
   boundary, above it, or below it. */
#define TR_B_EQ 0
#define TR_B_POS 1
#define TR_B_NEG 2
#define TR_B_D_EQ 4
#define TR_B_D_POS 8
#define TR_B_D_NEG 16

/* A time when the value met the condition. */
typedef struct threshold_event {
	unsigned long long timestamp; /* 2^-32 seconds since 1970 UTC */
	unsigned long long value;     /* compared value; signed except for TYPE_UNSIGNED_LONG_LONG */
	int remaining;                /* events that may follow; -1: no limit */
} threshold_event_t;

#endif
