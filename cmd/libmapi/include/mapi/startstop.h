/*
 * mapi/startstop.h - result of STARTSTOP.
 */
#ifndef MAPI_STARTSTOP_H
#define MAPI_STARTSTOP_H

/* Time stamps of packets in 2^-32 seconds since 1970 UTC; 0 if there was no packet. */
typedef struct startstop {
	unsigned long long first;           /* first packet that reached the function */
	unsigned long long first_processed; /* first packet that the function passed on */
	unsigned long long last;            /* last packet that the function passed on */
} startstop_t;

#endif
