/*
 * mapi/burst.h - result of BURST: one category per range of sizes.
 */
#ifndef MAPI_BURST_H
#define MAPI_BURST_H

#include <stdint.h>

/* Category 0 is of sizes below min, the last one of all that are larger. */
typedef struct burst_category {
	unsigned long long bytes;
	unsigned long long packets;
	unsigned long long bursts;
	unsigned long long gap_bytes;
	unsigned long long gaps;
} burst_category_t;

#endif
