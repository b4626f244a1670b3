/*
 * info.c - what the daemon tells of devices, libraries, flows and functions.
 */
#include "internal.h"

/* Sends the call and hands the answer over, to be copied to the program, which may then
   ask for what it was told of, though it has created nothing. */
#define ANSWER(c, field, to)                \
	do {                                \
		int err_ = call_send(c);    \
		if (err_ == 0) {            \
			set_initialized();  \
			*(to) = (c)->field; \
		}                           \
		call_end(c);                \
		return err_;                \
	} while (0)

static int no_room(int code)
{
	return fail(code, "the information has no place to go: the pointer is NULL");
}

PUBLIC int mapi_stats(const char *dev, struct mapi_stat *stats)
{
	if (!dev)
		return fail(MAPI_DEVICE_INFO_ERR, "mapi_stats has no device");
	if (!stats)
		return no_room(MFUNCT_INVALID_ARGUMENT_2);
	struct call *c = initialized() == 0 ? call_begin(CALL_STATS) : NULL;
	if (!c)
		return -1;
	c->text = dev;
	int err = call_send(c);
	if (err == 0)
		*stats = c->stat;
	call_end(c);
	return err == 0 ? 1 : -1;
}

static int device_info(int devid, int next, mapi_device_info_t *info)
{
	if (!info)
		return no_room(MFUNCT_INVALID_ARGUMENT_2);
	struct call *c = call_begin(CALL_DEVICE_INFO);
	if (!c)
		return -1;
	c->number = devid;
	c->next = next;
	ANSWER(c, device_info, info);
}

PUBLIC int mapi_get_device_info(int devid, mapi_device_info_t *info)
{
	return device_info(devid, 0, info);
}

PUBLIC int mapi_get_next_device_info(int devid, mapi_device_info_t *info)
{
	return device_info(devid, 1, info);
}

static int library_info(int libnum, int next, mapi_lib_info_t *info)
{
	if (!info)
		return no_room(MFUNCT_INVALID_ARGUMENT_2);
	struct call *c = call_begin(CALL_LIBRARY_INFO);
	if (!c)
		return -1;
	c->number = libnum;
	c->next = next;
	ANSWER(c, library_info, info);
}

PUBLIC int mapi_get_library_info(int libnum, mapi_lib_info_t *info)
{
	return library_info(libnum, 0, info);
}

PUBLIC int mapi_get_next_library_info(int libnum, mapi_lib_info_t *info)
{
	return library_info(libnum, 1, info);
}

static int libfunct_info(int libnum, int functnum, int next, mapi_libfunct_info_t *info)
{
	if (!info)
		return no_room(MFUNCT_INVALID_ARGUMENT_3);
	struct call *c = call_begin(CALL_LIBFUNCT_INFO);
	if (!c)
		return -1;
	c->number = libnum;
	c->fid = functnum;
	c->next = next;
	ANSWER(c, libfunct_info, info);
}

PUBLIC int mapi_get_libfunct_info(int libnum, int functnum, mapi_libfunct_info_t *info)
{
	return libfunct_info(libnum, functnum, 0, info);
}

PUBLIC int mapi_get_next_libfunct_info(int libnum, int functnum, mapi_libfunct_info_t *info)
{
	return libfunct_info(libnum, functnum, 1, info);
}

PUBLIC int mapi_get_libfunct_next_info(int libnum, int functnum, mapi_libfunct_info_t *info)
{
	return libfunct_info(libnum, functnum, 1, info);
}

static int flow_info(int fd, int next, mapi_flow_info_t *info)
{
	struct call *c = call_begin(CALL_FLOW_INFO);
	if (!c)
		return -1;
	c->fd = fd;
	c->next = next;
	ANSWER(c, flow_info, info);
}

/* A program that looks whether the flow has finished before it asks for each packet
   would get none of a short file: its first look comes when all was read. So that says
   that the flow is active. */
static void leave_packets(int fd, mapi_flow_info_t *info)
{
	struct flow *f = flow_enter(fd);
	if (f && flow_untouched(f))
		info->status = FLOW_ACTIVE;
	if (f)
		flow_leave(f);
}

PUBLIC int mapi_get_flow_info(int fd, mapi_flow_info_t *info)
{
	if (initialized() != 0)
		return -1;
	if (fd <= 0)
		return fail(MAPI_INVALID_FLOW, not_a_flow, fd);
	if (!info)
		return no_room(MFUNCT_INVALID_ARGUMENT_2);
	int err = flow_info(fd, 0, info);
	if (err == 0 && info->status == FLOW_FINISHED)
		leave_packets(fd, info);
	return err;
}

PUBLIC int mapi_get_next_flow_info(int fd, mapi_flow_info_t *info)
{
	return info ? flow_info(fd > 0 ? fd : 0, 1, info) : no_room(MFUNCT_INVALID_ARGUMENT_2);
}

static int function_info(int fd, int fid, int next, mapi_function_info_t *info)
{
	struct call *c = call_begin(CALL_FUNCTION_INFO);
	if (!c)
		return -1;
	c->fd = fd;
	c->fid = fid;
	c->next = next;
	ANSWER(c, function_info, info);
}

static int bad_numbers(int fd, int fid)
{
	return fail(MAPI_INVALID_FID_FUNCID, "%d, %d are not the numbers of a flow and a function", fd, fid);
}

PUBLIC int mapi_get_function_info(int fd, int fid, mapi_function_info_t *info)
{
	if (initialized() != 0)
		return -1;
	if (fd <= 0 || fid <= 0)
		return bad_numbers(fd, fid);
	return info ? function_info(fd, fid, 0, info) : no_room(MFUNCT_INVALID_ARGUMENT_3);
}

PUBLIC int mapi_get_next_function_info(int fd, int fid, mapi_function_info_t *info)
{
	if (fd <= 0 || fid < 0)
		return bad_numbers(fd, fid);
	return info ? function_info(fd, fid, 1, info) : no_room(MFUNCT_INVALID_ARGUMENT_3);
}
