/*
 * control.c - creates, connects and closes flows.
 */
#include "internal.h"

static int create(enum call_op op, const char *text, int format)
{
	if (usable() != 0)
		return -1;
	flow_reap();
	struct call *c = call_begin(op);
	if (!c)
		return -1;
	c->text = text;
	c->number = format;
	int fd = call_send(c) == 0 ? flow_add(c) : -1;
	call_end(c);
	return fd;
}

PUBLIC int mapi_create_flow(const char *dev)
{
	if (!dev)
		return fail(MAPI_DEVICE_INFO_ERR, "mapi_create_flow: the device name is NULL");
	return create(CALL_CREATE_FLOW, dev, 0);
}

PUBLIC int mapi_create_offline_flow(const char *path, int format)
{
	if (!path)
		return fail(MFUNCT_INVALID_ARGUMENT_1, "mapi_create_offline_flow: the path is NULL");
	return create(CALL_CREATE_OFFLINE_FLOW, path, format);
}

PUBLIC int mapi_connect(int fd)
{
	struct flow *f = flow_of(fd, MAPI_INVALID_FLOW);
	if (!f)
		return -1;
	struct call *c = call_begin(CALL_CONNECT);
	int err = -1;
	if (c) {
		c->fd = fd;
		err = call_finish(c);
	}
	flow_leave(f);
	return err;
}

/* Closes a flow that was removed from the table. */
static int close_retired(int fd)
{
	struct call *c = call_begin(CALL_CLOSE);
	if (!c)
		return -1;
	c->fd = fd;
	return call_finish(c);
}

PUBLIC int mapi_close_flow(int fd)
{
	struct flow *f = flow_of(fd, MAPI_INVALID_FLOW);
	if (!f)
		return -1;
	int err = flow_retire(fd) ? close_retired(fd) : fail(MAPI_INVALID_FLOW, no_flow, fd);
	flow_leave(f); /* from now on another thread may release its memory */
	return err;
}

/* Finds a flow for the calls about scopes. Every flow has one sensor, this host. */
static struct flow *known(int fd)
{
	struct flow *f = usable() == 0 ? flow_enter(fd) : NULL;
	if (!f)
		fail(MAPI_INVALID_FLOW, no_flow, fd);
	return f;
}

PUBLIC int mapi_is_remote(int fd)
{
	struct flow *f = known(fd);
	if (!f)
		return -1;
	flow_leave(f);
	return 0;
}

PUBLIC int mapi_get_scope_size(int fd)
{
	return mapi_is_remote(fd) < 0 ? -1 : 1;
}

PUBLIC int mapi_is_sensor_down(int fd)
{
	struct flow *f = known(fd);
	if (!f)
		return -1;
	int down = flow_lost(f);
	flow_leave(f);
	return down;
}
