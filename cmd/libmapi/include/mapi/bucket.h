/*
 * mapi/bucket.h - entries of BUCKET, one per read.
 */
#ifndef MAPI_BUCKET_H
#define MAPI_BUCKET_H

/* The result of a function at the end of a period. */
typedef struct bucket_data {
	unsigned long long timestamp; /* 2^-32 seconds since 1970 UTC */
	unsigned long long data;
} bucket_data_t;

#endif
