/*
 * mapi.h - the Monitoring API for C programs.
 *
 * A program creates flows on devices, applies functions to them, connects them,
 * and reads results. A call that fails returns -1 or NULL; mapi_read_error gives
 * the reason (mapi_errors.h). See docs/libmapi.md for threads, signals and fork.
 * Structures have the layout of the original on 64-bit machines. Constants and
 * results of a function are in the header with its name, such as <mapi/sample.h>.
 */
#ifndef MAPI_H
#define MAPI_H

#include <stdint.h>
#include <sys/ipc.h>
#include <sys/types.h>
#include <syslog.h>
#include <time.h>

#include <mapi_errors.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Buffer sizes in bytes, with the NUL: for a name, and for the text of mapi_read_error. */
#define MAPI_STR_LENGTH 256
#define MAPI_ERRORSTR_LENGTH 512

/* Marks an unused parameter. */
#ifdef __GNUC__
#define MAPI_UNUSED __attribute__((unused))
#else
#define MAPI_UNUSED
#endif

typedef int boolean_t;
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

/* Formats of capture files, and their names in mapi.conf. */
enum mapi_file_formats { MFF_PCAP = 0, MFF_RAW, MFF_DAG_ERF, MFF_COMBO6, MFF_NAPATECH };
#define MFF_PCAP_STR "MFF_PCAP"
#define MFF_DAG_ERF_STR "MFF_DAG_ERF"
#define MFF_NAPATECH_STR "MFF_NAPATECH"

/* States of a flow, and of an offline device. */
enum mapi_flow_status { FLOW_INIT = 0, FLOW_ACTIVE, FLOW_FINISHED, FLOW_CLOSED };
typedef enum mapi_offline_device_status {
	DEVICE_ONLINE = 0, /* live */
	DEVICE_SETUP,
	DEVICE_READING,
	DEVICE_FINISHED,
	DEVICE_DELETED,
} mapi_offline_device_status_t;

/* TO_BUFFER: whether a call that takes a packet waits for one. */
enum toba_flg { WAIT = 0, NOWAIT };

/* COOKING: data that the client has received, that the server has received, or both. */
enum cooking_direction { CLIENT_SIDE = 1, SERVER_SIDE, BOTH_SIDE };

/* No call uses the following names, but existing programs do. */
enum mapi_read_result_method { MAPI_COPY = 0, MAPI_REF };
#define PAPI 10
#define DEFAULT_DIMAPI_PORT 2233 /* TCP port of a remote sensor */
#define INT 1                    /* INT to CHAR: argument types */
#define STRING 2
#define UNSIGNED_LONG_LONG 3
#define CHAR 4
typedef unsigned char mapiFunctArg;
typedef struct mapi_result {
	void *res;
	unsigned int size; /* of res, in bytes */
} mapi_result_t;

/* Result of a function. The function owns it, and the next read of the same function
   overwrites it. */
typedef struct mapi_results {
	void *res;             /* layout: <mapi/stdflib.h> */
	unsigned long long ts; /* time of the read, microseconds since 1970 UTC */
	int size;              /* of res, in bytes */
} mapi_results_t;

/* A packet. The function owns it, and the program may change it. It is valid until the
   program takes the next packet from the same function. */
struct mapipkt {
	unsigned long long ts;  /* 2^-32 seconds since 1970 UTC: seconds in the upper half */
	unsigned short ifindex; /* interface or port; 0 if the device has only one */
	unsigned int caplen;    /* captured bytes */
	unsigned int wlen;      /* bytes on the wire */
	unsigned char pkt;      /* first captured byte; the link-layer header starts here */
};
typedef struct mapipkt mapipkt_t;

/* Function that mapi_loop calls for each packet. */
typedef void (*mapi_handler)(const struct mapipkt *);

typedef struct mapi_flow_info {
	uid_t uid;              /* user who created the flow */
	int fd;                 /* 1<<30 or higher: flow of another program, for information only */
	int devid;
	char device[256];
	unsigned int num_functions;
	time_t start;           /* time of mapi_connect; 0 before it */
	time_t end;             /* time when the device ended; 0 before */
	enum mapi_flow_status status;
	int priority;           /* always 0 */
} mapi_flow_info_t;

typedef struct mapi_function_info {
	int fid;
	char name[256];
	char libname[256];
	char devtype[256];
	unsigned long long pkts;        /* packets that reached the function */
	unsigned long long passed_pkts; /* packets that the function passed on */
	int result_size;                /* bytes */
} mapi_function_info_t;

typedef struct mapi_device_info {
	int id;                 /* negative: an offline device */
	char device[256];       /* name for mapi_create_flow */
	char name[256];         /* driver */
	char alias[256];
	char description[1024];
	int link_speed;         /* Mbit/s; 0: unknown */
	int mpls;
	int vlan;
} mapi_device_info_t;

typedef struct mapi_lib_info {
	int id;
	char libname[256];
	__extension__ union {
		unsigned int functs; /* number of functions */
		unsigned int funcs;  /* the same, under the tutorial's name */
	};
} mapi_lib_info_t;

typedef struct mapi_libfunct_info {
	char name[256];
	char descr[1024];
	char argdescr[256];     /* one letter per argument */
	char devtype[256];
} mapi_libfunct_info_t;

/* Counters of a device since its first flow opened it. */
struct mapi_stat {
	unsigned int ps_recv;   /* packets received, including dropped ones */
	unsigned int ps_drop;   /* packets dropped because the daemon was too slow */
	unsigned int ps_ifdrop; /* packets that the interface certainly lost; possible losses do not count */
	char hostname[256];
	char dev[256];
};
typedef struct mapi_stat mapi_stat_t;

/* Flows. */
int mapi_create_flow(const char *dev);
int mapi_create_offline_flow(const char *path, int format);
int mapi_connect(int fd);
int mapi_close_flow(int fd);

/* Offline devices: capture files as devices. malloc allocates the name.
   mapi_delete_offline_device frees it, unless the program has. */
char *mapi_create_offline_device(const char *path, int format);
int mapi_start_offline_device(const char *dev);
int mapi_delete_offline_device(char *dev);

/* Functions. Each argument is an int, unsigned long long or char *, as the argument
   letters of the function require (mapi_get_libfunct_info). A missing argument has the
   default of the function, if there is one. mapi/count.h has a macro with the same name. */
int (mapi_apply_function)(int fd, const char *funct, ...);
int mapi_apply_function_array(int fd, const char *funct, char **args, unsigned int n);

/* Results and packets. */
mapi_results_t *mapi_read_results(int fd, int fid);
struct mapipkt *mapi_get_next_pkt(int fd, int fid);

/* Calls callback for cnt packets, or for all packets if cnt is not positive. It returns 0
   after cnt packets and at the end of a file, -1 if it cannot start, or the number of the
   error that ended it. */
int mapi_loop(int fd, int fid, int cnt, mapi_handler callback);

/* Returns the last error and clears it. One of the pointers may be NULL. */
int mapi_read_error(int *err_no, char *errorstr);

/* Scopes. */
int mapi_is_remote(int fd);
int mapi_get_scope_size(int fd);
int mapi_is_sensor_down(int fd);
int mapi_stats(const char *dev, struct mapi_stat *stats);

/* Information. A "next" call returns the first entry with a higher number. */
int mapi_get_device_info(int devid, mapi_device_info_t *info);
int mapi_get_next_device_info(int devid, mapi_device_info_t *info);
int mapi_get_library_info(int libnum, mapi_lib_info_t *info);
int mapi_get_next_library_info(int libnum, mapi_lib_info_t *info);
int mapi_get_libfunct_info(int libnum, int functnum, mapi_libfunct_info_t *info);
int mapi_get_next_libfunct_info(int libnum, int functnum, mapi_libfunct_info_t *info);
int mapi_get_libfunct_next_info(int libnum, int functnum, mapi_libfunct_info_t *info);
int mapi_get_flow_info(int fd, mapi_flow_info_t *info);
int mapi_get_next_flow_info(int fd, mapi_flow_info_t *info);
int mapi_get_function_info(int fd, int fid, mapi_function_info_t *info);
int mapi_get_next_function_info(int fd, int fid, mapi_function_info_t *info);

#ifdef __cplusplus
}
#endif

#include <mapi/count.h>

#endif
