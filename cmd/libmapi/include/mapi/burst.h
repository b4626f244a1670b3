/*
 * mapi/burst.h - result of BURST: one category per range of sizes.
 */
#ifndef MAPI_BURST_H
#define MAPI_BURST_H

/* Category 0 contains sizes below min, the last category all larger sizes. */
typedef struct burst_category {
	unsigned long bytes;
	unsigned long packets;
	unsigned long bursts;
	unsigned long gap_bytes;
	unsigned long gaps;
} burst_category_t;

#endif
