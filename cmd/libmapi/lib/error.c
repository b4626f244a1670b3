/*
 * error.c - the last error of the process.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

const char not_initialized[] = "create a flow or an offline device first";
const char not_a_flow[] = "%d is not the number of a flow";
const char not_a_function[] = "%d is not the number of a function";
const char no_flow[] = "no flow %d";
const char not_connected[] = "flow %d is not connected";
const char no_function[] = "flow %d has no function %d";

static struct guard guard = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static int last;
__thread int thread_error;
static char text[MAPI_ERRORSTR_LENGTH];

void error_in_child(void)
{
	guard.mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void set(int code, const char *message)
{
	int saved = errno;
	thread_error = code;
	guard_enter(&guard);
	last = code;
	memcpy(text, message, sizeof text);
	guard_leave(&guard);
	errno = saved;
}

static void format_and_set(int code, const char *format, va_list args)
{
	char message[MAPI_ERRORSTR_LENGTH] = "";
	int n = vsnprintf(message, sizeof message, format, args);
	if (n >= 0 && (size_t)n < sizeof message)
		snprintf(message + n, sizeof message - n, " (error %d)", code);
	set(code, message);
}

int fail(int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	format_and_set(code, format, args);
	va_end(args);
	return -1;
}

void *fail_null(int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	format_and_set(code, format, args);
	va_end(args);
	return NULL;
}

int fail_from(const struct call *c)
{
	set(c->code, c->message);
	return -1;
}

PUBLIC int mapi_read_error(int *err_no, char *errorstr)
{
	if (!err_no && !errorstr)
		return -1;
	guard_enter(&guard);
	if (err_no)
		*err_no = last;
	if (errorstr && last != 0)
		memcpy(errorstr, text, strlen(text) + 1);
	last = 0;
	guard_leave(&guard);
	return 0;
}
