/*
 * mapi/binop.h - arguments of BINOP.
 */
#ifndef MAPI_BINOP_H
#define MAPI_BINOP_H

#define BINOP_ADD 0
#define BINOP_SUB 1

#endif
