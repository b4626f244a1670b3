/*
 * mapi/threshold.h - events of THRESHOLD, one per read.
 */
#ifndef MAPI_THRESHOLD_H
#define MAPI_THRESHOLD_H

#include <stdint.h>

/* A moment when the boundary was met. */
typedef struct threshold_event {
	unsigned long long timestamp; /* 2^-32 seconds since 1970 UTC */
	unsigned long long value;     /* that was compared; signed but for TYPE_UNSIGNED_LONG_LONG */
	int32_t remaining;            /* events that may follow, -1 without a bound */
} threshold_event_t;

#endif
