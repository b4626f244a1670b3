/*
 * offline.c - capture files as devices.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* A name that mapi_create_offline_device has given out: mapi_delete_offline_device
   frees it, as the original does, and frees nothing else. */
struct name {
	struct name *next;
	char *text;
};

static struct guard guard = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static struct name *names;

static char *name_add(char *text)
{
	struct name *n = malloc(sizeof *n);
	if (!n) {
		free(text);
		return fail_null(MAPID_MEM_ALLOCATION_ERROR, "no memory for the name of a device");
	}
	n->text = text;
	guard_enter(&guard);
	n->next = names;
	names = n;
	guard_leave(&guard);
	return text;
}

static void name_free(char *text)
{
	guard_enter(&guard);
	struct name **at = &names;
	while (*at && (*at)->text != text)
		at = &(*at)->next;
	struct name *n = *at;
	if (n)
		*at = n->next;
	guard_leave(&guard);
	if (!n)
		return;
	free(n->text);
	free(n);
}

PUBLIC char *mapi_create_offline_device(const char *path, int format)
{
	if (!path)
		return fail_null(MFUNCT_INVALID_ARGUMENT_1, "mapi_create_offline_device has no path");
	struct call *c = call_begin(CALL_CREATE_DEVICE);
	if (!c)
		return NULL;
	c->text = path;
	c->number = format;
	char *name = NULL;
	if (call_send(c) == 0) {
		name = name_add(c->name);
		set_initialized();
	}
	call_end(c);
	return name;
}

/* Begins a call on a device by its name. */
static struct call *begin(enum call_op op, const char *dev)
{
	if (initialized() != 0)
		return NULL;
	if (!dev)
		return fail_null(MFUNCT_INVALID_ARGUMENT_1, "no device named");
	struct call *c = call_begin(op);
	if (c)
		c->text = dev;
	return c;
}

PUBLIC int mapi_start_offline_device(const char *dev)
{
	struct call *c = begin(CALL_START_DEVICE, dev);
	return c ? call_finish(c) : -1;
}

PUBLIC int mapi_delete_offline_device(char *dev)
{
	struct call *c = begin(CALL_DELETE_DEVICE, dev);
	if (!c)
		return -1;
	int err = call_send(c);
	flow_retire_device(c->device); /* its flows are closed with it */
	call_end(c);
	if (err == 0)
		name_free(dev);
	return err;
}
