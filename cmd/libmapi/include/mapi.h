/*
 * mapi.h - the Monitoring API for C programs.
 *
 * A program makes flows on devices, applies functions to them, connects them,
 * and reads results. Calls return -1 or NULL when they fail; mapi_read_error
 * tells why (mapi_errors.h). docs/libmapi.md tells about threads, signals, fork.
 * Structures have the layout of the original on 64-bit machines. Constants and
 * results of a function are in a header of its name, such as <mapi/sample.h>.
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

/* Room in bytes: for a name, and for the text of mapi_read_error. */
#define MAPI_STR_LENGTH 256
#define MAPI_ERRORSTR_LENGTH 512

/* Marks a parameter that is not used. */
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

/* States of a flow, and of a capture file as a device. */
enum mapi_flow_status { FLOW_INIT = 0, FLOW_ACTIVE, FLOW_FINISHED, FLOW_CLOSED };
typedef enum mapi_offline_device_status {
	DEVICE_ONLINE = 0, /* live */
	DEVICE_SETUP,
	DEVICE_READING,
	DEVICE_FINISHED,
	DEVICE_DELETED,
} mapi_offline_device_status_t;

/* TO_BUFFER: taking a packet waits for one, or does not. */
enum toba_flg { WAIT = 0, NOWAIT };

/* COOKING: which data of a connection, what the client has received or the server. */
enum cooking_direction { CLIENT_SIDE = 1, SERVER_SIDE, BOTH_SIDE };

/* No call uses the rest, but sources of programs do. */
enum mapi_read_result_method { MAPI_COPY = 0, MAPI_REF };
#define PAPI 10
#define DEFAULT_DIMAPI_PORT 2233 /* TCP, of a remote sensor */
#define INT 1                    /* kinds of an argument */
#define STRING 2
#define UNSIGNED_LONG_LONG 3
#define CHAR 4
typedef unsigned char mapiFunctArg;
typedef struct mapi_result {
	void *res;
	unsigned int size; /* of res, in bytes */
} mapi_result_t;

/* What a function has found. It is the function's, and the next read of the same
   function overwrites it. */
typedef struct mapi_results {
	void *res;             /* layout: <mapi/stdflib.h> */
	unsigned long long ts; /* when it was read, microseconds since 1970 UTC */
	int size;              /* of res, in bytes */
} mapi_results_t;

/* A packet. It is the function's, the program may change it, and it is valid until
   the next packet is taken from the same function. */
struct mapipkt {
	unsigned long long ts;  /* 2^-32 seconds since 1970 UTC: seconds in the upper half */
	unsigned short ifindex; /* interface or port, 0 when there is one only */
	unsigned int caplen;    /* captured bytes */
	unsigned int wlen;      /* bytes on the wire */
	unsigned char pkt;      /* the first of the captured bytes: link-layer header */
};
typedef struct mapipkt mapipkt_t;

/* What mapi_loop calls for each packet. */
typedef void (*mapi_handler)(const struct mapipkt *);

typedef struct mapi_flow_info {
	uid_t uid;              /* user who made it */
	int fd;                 /* from 1<<30 on: flow of another program, to look at only */
	int devid;
	char device[256];
	unsigned int num_functions;
	time_t start;           /* connect, 0 before */
	time_t end;             /* end of the device, 0 before */
	enum mapi_flow_status status;
	int priority;           /* always 0 */
} mapi_flow_info_t;

typedef struct mapi_function_info {
	int fid;
	char name[256];
	char libname[256];
	char devtype[256];
	unsigned long long pkts;        /* that reached the function */
	unsigned long long passed_pkts; /* that went on behind it */
	int result_size;                /* bytes */
} mapi_function_info_t;

typedef struct mapi_device_info {
	int id;                 /* negative: a capture file */
	char device[256];       /* what mapi_create_flow takes */
	char name[256];         /* driver */
	char alias[256];
	char description[1024];
	int link_speed;         /* Mbit/s, 0 unknown */
	int mpls;
	int vlan;
} mapi_device_info_t;

typedef struct mapi_lib_info {
	int id;
	char libname[256];
	__extension__ union {
		unsigned int functs; /* how many functions it has */
		unsigned int funcs;  /* the same, as the tutorial writes it */
	};
} mapi_lib_info_t;

typedef struct mapi_libfunct_info {
	char name[256];
	char descr[1024];
	char argdescr[256];     /* a letter per argument */
	char devtype[256];
} mapi_libfunct_info_t;

/* Counters of a device since its first flow opened it. */
struct mapi_stat {
	unsigned int ps_recv;   /* packets received, dropped ones included */
	unsigned int ps_drop;   /* dropped because the daemon was too slow */
	unsigned int ps_ifdrop; /* dropped by the interface */
	char hostname[256];
	char dev[256];
};
typedef struct mapi_stat mapi_stat_t;

/* Flows. */
int mapi_create_flow(const char *dev);
int mapi_create_offline_flow(const char *path, int format);
int mapi_connect(int fd);
int mapi_close_flow(int fd);

/* Capture files as devices. The name belongs to the library, which takes it back
   with mapi_delete_offline_device. */
char *mapi_create_offline_device(const char *path, int format);
int mapi_start_offline_device(const char *dev);
int mapi_delete_offline_device(char *dev);

/* Functions. Arguments are int, unsigned long long or char *, as the function's
   letters say (mapi_get_libfunct_info). Those left out are the function's defaults. A
   macro of mapi/count.h has the name too. */
int (mapi_apply_function)(int fd, const char *funct, ...);
int mapi_apply_function_array(int fd, const char *funct, char **args, unsigned int n);

/* Results and packets. */
mapi_results_t *mapi_read_results(int fd, int fid);
struct mapipkt *mapi_get_next_pkt(int fd, int fid);

/* Calls back for cnt packets, for all when cnt is not positive. It returns 0, also at
   the end of a file, -1 when it cannot begin, or the number of the error that has
   ended it. */
int mapi_loop(int fd, int fid, int cnt, mapi_handler callback);

/* The last error, which is forgotten then. Either may be NULL. */
int mapi_read_error(int *err_no, char *errorstr);

/* Scopes. */
int mapi_is_remote(int fd);
int mapi_get_scope_size(int fd);
int mapi_is_sensor_down(int fd);
int mapi_stats(const char *dev, struct mapi_stat *stats);

/* Information. "next" calls give the first with a higher number. */
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
