/*
 * mapi/sample.h - arguments of SAMPLE.
 */
#ifndef MAPI_SAMPLE_H
#define MAPI_SAMPLE_H

#define PERIODIC 2             /* every n-th packet */
#define DETERMINISTIC PERIODIC /* the same, under the name in the man page */
#define PROBABILISTIC 3        /* each packet with a probability of n percent */

#endif
