/*
 * mapi/ipfixlib.h - result of FLOW_REPORT.
 */
#ifndef MAPI_IPFIXLIB_H
#define MAPI_IPFIXLIB_H

#define IFP_MAX_REC_SIZE 2000 /* bytes */

/* A message of NetFlow or IPFIX. */
typedef struct ifp_dgram {
	unsigned long recno; /* number of messages so far */
	unsigned int size;   /* size of this message in bytes */
	char bytes[IFP_MAX_REC_SIZE];
} ifp_dgram_t;

#endif
