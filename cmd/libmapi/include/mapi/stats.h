/*
 * mapi/stats.h - result of STATS.
 */
#ifndef MAPI_STATS_H
#define MAPI_STATS_H

/* Statistics of the values of a function, in the unit of the values. */
typedef struct stats {
	unsigned long long count;
	long double sum;
	long double sum2; /* sum of the squares */
	double max;
	double min;
} stats_t;

#endif
