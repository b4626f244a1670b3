/*
 * apply.c - applies functions. Only the daemon knows the arguments of a function, so
 * the C part passes them on unchecked.
 */
#include <stdarg.h>
#include <string.h>

#include "internal.h"

/* Checks the flow and begins the call. */
static struct call *begin(enum call_op op, struct flow **f, int fd, const char *funct)
{
	if (!funct && fd > 0)
		return initialized() == 0 ? fail_null(MFUNCT_COULD_NOT_APPLY_FUNCT, "the function name is NULL") : NULL;
	*f = flow_of(fd, MAPI_INVALID_FID_FUNCID);
	if (!*f)
		return NULL;
	struct call *c = call_begin(op);
	if (!c) {
		flow_leave(*f);
		return NULL;
	}
	c->fd = fd;
	c->text = funct;
	return c;
}

/* Sends the call and ends it. Returns the number of the function, or -1 with the error. */
static int finish(struct call *c, struct flow *f)
{
	int fid = -1;
	if (call_send(c) == 0) {
		fid = c->function.fid;
		if (!function_add(f, &c->function))
			fid = fail(MAPID_MEM_ALLOCATION_ERROR, "no memory for function %d of flow %d", fid, c->fd);
	}
	call_end(c);
	flow_leave(f);
	return fid;
}

PUBLIC int mapi_apply_counted(int count, unsigned int wide, int fd, const char *funct, ...)
{
	struct flow *f;
	struct call *c = begin(CALL_APPLY, &f, fd, funct);
	if (!c)
		return -1;
	va_list args;
	va_start(args, funct);
	c->wide = wide >> 2; /* skip fd and funct */
	for (c->count = 0; c->count < count - 2 && c->count < CALL_ARGS; c->count++)
		if (c->wide >> c->count & 1)
			c->args[c->count] = va_arg(args, uint64_t);
		else
			c->args[c->count] = (uint64_t)(int64_t)va_arg(args, int);
	va_end(args);
	return finish(c, f);
}

/* Gets the argument letters of a function, for calls without the counting macro. */
static int letters_of(int fd, const char *funct, char letters[CALL_LETTERS])
{
	struct call *c = call_begin(CALL_LETTERS_OF);
	if (!c)
		return -1;
	c->fd = fd;
	c->text = funct;
	int err = call_send(c);
	memcpy(letters, c->letters, CALL_LETTERS);
	call_end(c);
	return err;
}

/* Takes one argument per letter: always all of them, like the original. */
static void take_all(struct call *c, const char *letters, va_list args)
{
	for (; letters[c->count] && c->count < CALL_ARGS; c->count++) {
		unsigned int bit = 1u << c->count;
		switch (letters[c->count]) {
		case 'i':
		case 'r':
		case 'f':
		case 'c':
			c->args[c->count] = (uint64_t)(int64_t)va_arg(args, int);
			break;
		case 'l':
			c->args[c->count] = va_arg(args, unsigned long long);
			c->wide |= bit;
			break;
		default:
			c->args[c->count] = (uintptr_t)va_arg(args, char *);
			c->wide |= bit;
		}
	}
}

/* The function without the macro: for programs compiled with the original's headers, and
   for calls through a pointer. */
#undef mapi_apply_function
PUBLIC int mapi_apply_function(int fd, const char *funct, ...)
{
	struct flow *f;
	char letters[CALL_LETTERS];
	struct call *c = begin(CALL_APPLY, &f, fd, funct);
	if (!c)
		return -1;
	if (letters_of(fd, funct, letters) != 0) {
		call_end(c);
		flow_leave(f);
		return -1;
	}
	va_list args;
	va_start(args, funct);
	take_all(c, letters, args);
	va_end(args);
	return finish(c, f);
}

PUBLIC int mapi_apply_function_array(int fd, const char *funct, char **args, unsigned int n)
{
	struct flow *f;
	struct call *c = begin(CALL_APPLY_ARRAY, &f, fd, funct);
	if (!c)
		return -1;
	c->array = args;
	c->count = args && n <= CALL_ARGS ? (int)n : args ? CALL_ARGS : 0;
	return finish(c, f);
}
