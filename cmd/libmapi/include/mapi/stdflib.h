/*
 * mapi/stdflib.h - results of the standard library of functions. Counters, PKTINFO,
 * GAP and BINOP give an unsigned long long, HASH a uint32_t, TO_FILE an int (11
 * while it writes, 0 when all is in the file, negative when writing has failed).
 */
#ifndef MAPI_STDFLIB_H
#define MAPI_STDFLIB_H

#include <mapi/arguments.h>
#include <mapi/bucket.h>
#include <mapi/burst.h>
#include <mapi/dist.h>
#include <mapi/hashsamp.h>
#include <mapi/startstop.h>
#include <mapi/stats.h>
#include <mapi/threshold.h>

#endif
