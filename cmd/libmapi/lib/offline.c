/*
 * offline.c - offline devices. The Go part allocates and frees their names, because
 * malloc and free are not safe in a signal handler.
 */
#include "internal.h"

PUBLIC char *mapi_create_offline_device(const char *path, int format)
{
	if (!path)
		return fail_null(MFUNCT_INVALID_ARGUMENT_1, "mapi_create_offline_device: the path is NULL");
	struct call *c = call_begin(CALL_CREATE_DEVICE);
	if (!c)
		return NULL;
	c->text = path;
	c->number = format;
	char *name = NULL;
	if (call_send(c) == 0) {
		name = c->name;
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
		return fail_null(MFUNCT_INVALID_ARGUMENT_1, "the device name is NULL");
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
	flow_retire_device(c->device); /* deleting a device closes its flows */
	call_end(c);
	return err;
}
