/*
 * mapi/startstop.h - result of STARTSTOP.
 */
#ifndef MAPI_STARTSTOP_H
#define MAPI_STARTSTOP_H

/* Times of packets in 2^-32 seconds since 1970 UTC, 0 when there was none. */
typedef struct startstop {
	unsigned long long first;           /* that reached the function */
	unsigned long long first_processed; /* that went on */
	unsigned long long last;            /* likewise */
} startstop_t;

#endif
