/*
 * mapi/stats.h - result of STATS.
 */
#ifndef MAPI_STATS_H
#define MAPI_STATS_H

/* What the values of a function have come to, in their unit. */
typedef struct stats {
	unsigned long long count;
	long double sum;
	long double sum2; /* of the squares */
	double max;
	double min;
} stats_t;

#endif
