/*
 * mapi/dist.h - result of DIST.
 */
#ifndef MAPI_DIST_H
#define MAPI_DIST_H

/* data has intervals + 1 counters. The last one counts values of max and more. */
typedef struct dist {
	unsigned long long min;
	unsigned long long max;
	unsigned long long intervals;
	unsigned long long data[1];
} dist_t;

#endif
