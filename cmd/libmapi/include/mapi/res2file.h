/*
 * mapi/res2file.h - arguments of RES2FILE: the output format of a result.
 */
#ifndef MAPI_RES2FILE_H
#define MAPI_RES2FILE_H

enum res2file_format {
	R2F_RAW = 0, /* its bytes */
	R2F_ULLSTR,  /* a number */
	R2F_ULLSEC,  /* a time */
	R2F_STATS,   /* a result of STATS */
};

#endif
