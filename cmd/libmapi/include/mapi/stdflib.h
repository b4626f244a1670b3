/*
 * mapi/stdflib.h - arguments and results of the standard library of functions.
 * Counters, PKTINFO, GAP and BINOP return an unsigned long long, HASH an unsigned int,
 * TO_FILE an int (11 while it writes, 0 when the file is complete, negative when writing
 * has failed).
 */
#ifndef MAPI_STDFLIB_H
#define MAPI_STDFLIB_H

#include <mapi/binop.h>
#include <mapi/bucket.h>
#include <mapi/burst.h>
#include <mapi/dist.h>
#include <mapi/hashsamp.h>
#include <mapi/pktinfo.h>
#include <mapi/res2file.h>
#include <mapi/sample.h>
#include <mapi/startstop.h>
#include <mapi/stats.h>
#include <mapi/threshold.h>

#endif
