/*
 * mapi/dist.h - result of DIST.
 */
#ifndef MAPI_DIST_H
#define MAPI_DIST_H

/* data has intervals + 1 counters: the last one is of values from max on. */
typedef struct dist {
	unsigned long long min;
	unsigned long long max;
	unsigned long long intervals;
	unsigned long long data[1];
} dist_t;

#endif
