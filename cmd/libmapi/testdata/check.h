/*
 * check.h - common code of the test programs: checks that print where they fail, and
 * helpers for flows.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mapi.h>

static int failures;

#define CHECK(is)                                                               \
	do {                                                                    \
		if (!(is)) {                                                    \
			printf("%s:%d: not %s\n", __FILE__, __LINE__, #is);     \
			failures++;                                             \
		}                                                               \
	} while (0)

/* Returns the number of the last error, copies its text unless text is NULL, and clears
   the error. */
static inline int error_of(char *text)
{
	int code = -1;
	CHECK(mapi_read_error(&code, text) == 0);
	return code;
}

/* Checks that a call fails with the error number. */
#define FAILS(call, code)                                                                 \
	do {                                                                              \
		char text_[512] = "";                                                     \
		error_of(NULL);                                                           \
		long failed_ = (long)(call);                                              \
		int code_ = error_of(text_);                                              \
		if ((failed_ != -1 && failed_ != 0) || code_ != (code) || text_[0] == 0) { \
			printf("%s:%d: %s gives %ld, error %d (%s), not %d\n", __FILE__,   \
			       __LINE__, #call, failed_, code_, text_, (code));           \
			failures++;                                                       \
		}                                                                         \
	} while (0)

/* Ends the program if a call has failed. */
static inline int must(int result, const char *call)
{
	char text[512] = "";
	if (result >= 0)
		return result;
	int code = error_of(text);
	printf("%s: error %d: %s\n", call, code, text);
	exit(EXIT_FAILURE);
}
#define MUST(call) must((call), #call)

static inline unsigned long long counter(int fd, int fid)
{
	mapi_results_t *r = mapi_read_results(fd, fid);
	if (!r)
		MUST(-1);
	return *(unsigned long long *)r->res;
}

/* Waits until the daemon has read the capture file of a flow. */
static inline void await_end(int fd)
{
	mapi_flow_info_t info;
	do
		MUST(mapi_get_flow_info(fd, &info));
	while (info.status != FLOW_FINISHED);
}

#endif
