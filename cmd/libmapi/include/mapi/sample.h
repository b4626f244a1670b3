/*
 * mapi/sample.h - arguments of SAMPLE.
 */
#ifndef MAPI_SAMPLE_H
#define MAPI_SAMPLE_H

#define PERIODIC 2             /* every n-th packet */
#define DETERMINISTIC PERIODIC /* the same, in the man page's word */
#define PROBABILISTIC 3        /* each packet with a probability of n per cent */

#endif
