/*
 * mapi_errors.h - error numbers that mapi_read_error returns.
 */
#ifndef MAPI_ERRORS_H
#define MAPI_ERRORS_H

#define PCAP_BPF_ERR 1025 /* filter expression does not compile */
#define PCAP_OPEN_ERR 1026 /* capture handle cannot be opened */
#define PCAP_OPEN_DEAD_ERR 1027 /* filter compiler cannot be used */
#define NICDRV_PTHR_ERR 1100 /* network interface driver cannot start capturing */
#define COMBO6_OPEN_ERR 1200 /* Combo6 card cannot be opened */
#define COMBO6_PTHR_ERR 1201 /* Combo6 driver cannot start capturing */
#define COMBO6_GET_OPTION_ERR 1202 /* Combo6 option cannot be read */
#define COMBO6_GET_STU_STATS 1203 /* Combo6 statistics unit cannot be read */
#define DAGDRV_OPEN_ERR 1300 /* DAG card cannot be opened */
#define DAGDRV_PTHR_ERR 1301 /* DAG driver cannot start capturing */
#define DAGDRV_MMAP_ERR 1302 /* DAG ring cannot be mapped */
#define DAGDRV_START_ERR 1303 /* DAG card cannot be started */
#define VINDRV_PTHR_ERR 1400 /* replay-directory driver cannot start reading */
#define VINDRV_OFF_ERR 1401 /* replay-directory driver reads no single files */
#define VINDRV_DEVID_NOT_FOUND 1402 /* replay-directory driver does not know this device */
#define DRV_OFF_ERR 1501 /* driver reads no capture files */
#define NAPATECHDRV_PTHR_ERR 1600 /* Napatech driver cannot start capturing */
#define NAPATECHDRV_OPENCARD_ERR 1601 /* no Napatech card */
#define NAPATECHDRV_SHUTDOWN_FEEDS_ERR 1602 /* Napatech feeds are busy */
#define MDLIB_ERROR_NOT_FOUND 3073 /* unknown error number */
#define MDLIB_INVALID_FLID 3074 /* the daemon knows no such flow */
#define MDLIB_SHM_ERR 3075 /* shared memory for results cannot be made */
#define MDLIB_SEM_ERR 3076 /* semaphore cannot be made */
#define MDLIB_TMPF_ERR 3077 /* temporary file cannot be made */
#define MDLIB_INVALID_FUNCID 3078 /* the flow has no such function */
#define MDLIB_FUNCTION_NOT_FOUND 3079 /* the daemon knows no such function */
#define MDLIB_COULD_NOT_APPLY_FUNCT 3080 /* function could not be applied */
#define MDLIB_FLOW_ALREADY_ACTIVE 3081 /* the flow is connected already */
#define MDLIB_NO_MODIFYING 3082 /* functions that change packets are not allowed */
#define MDLIB_FILE_EXSISTS 3083 /* the file exists */
#define MAPID_MEM_ALLOCATION_ERROR 3084 /* out of memory */
#define MAPID_NOT_AUTHENTICATED 3139 /* the flow has no credentials */
#define MAPID_NO_DRIVER 3200 /* no device or driver of that name */
#define MAPID_NO_FD 3201 /* the file descriptor did not arrive */
#define MAPID_NO_DEVICE 3202 /* no such offline device */
#define MDLIB_ETH_DLINK_ERR 3500 /* display filter: link type */
#define MDLIB_ETH_SYM_NOT_FOUND 3501 /* display filter: symbol */
#define MDLIB_ETH_FILTER_ERR 3502 /* display filter: expression */
#define MDLIB_STRSEARCH_UNTERMINATED_PIPE_ERR 3503 /* hex block of the search pattern is not closed */
#define MDLIB_STRSEARCH_DEPTH_LESS_THAN_PTRN_ERR 3504 /* search depth is less than the pattern's length */
#define MDLIB_STRSEARCH_NOT_A_VALID_SEARCH_STRING 3505 /* not a valid search pattern */
#define MCOM_UNKNOWN_ERROR 5121 /* message of an unexpected kind */
#define MCOM_ERROR_ACK 5122 /* the daemon refused to close */
#define MCOM_SOCKET_ERROR 5123 /* connection to the daemon or sensor failed */
#define MCOM_INIT_SOCKET_ERROR 5124 /* no daemon answers */
#define MAPI_SHUTTING_DOWN 6140 /* the daemon is going down */
#define MAPI_INIT_ERROR 6141 /* nothing was created yet: create a flow or an offline device first */
#define MAPI_CONNECT 6142 /* the file was read to its end before the flow was connected */
#define MAPI_FLOW_NOT_CONNECTED 6143 /* the flow is not connected */
#define MAPI_FUNCTION_NOT_FOUND 6144 /* no such function for this type of device */
#define MAPI_INVALID_FLOW 6145 /* no such flow */
#define MAPI_SHM_ERR 6146 /* the function has no result */
#define MAPI_INVALID_FID_FUNCID 6147 /* no such flow or function */
#define MAPI_SEM_ERR 6148 /* result could not be read */
#define MAPI_FLOW_INFO_ERR 6149 /* no such flow to tell about */
#define MAPI_FUNCTION_INFO_ERR 6150 /* no such function to tell about */
#define MAPI_LIBRARY_LOAD_ERR 6151 /* function library cannot be loaded */
#define MAPI_ERROR_GETTING_LIBPATH 6152 /* path of the function libraries is unknown */
#define MAPI_ERROR_GETTING_LIBS 6153 /* list of the function libraries is unknown */
#define MAPI_ERROR_GETTING_PATH 6154 /* path is unknown */
#define MAPI_ERROR_FILE 6155 /* file cannot be used */
#define MAPI_ERROR_SEND_FD 6156 /* file descriptor could not be passed */
#define MAPI_DEVICE_INFO_ERR 6157 /* no such device to tell about */
#define MFUNCT_INVALID_ARGUMENT 7000 /* bad argument */
#define MFUNCT_INVALID_ARGUMENT_1 7001 /* first argument is bad */
#define MFUNCT_INVALID_ARGUMENT_2 7002 /* second argument is bad */
#define MFUNCT_INVALID_ARGUMENT_3 7003 /* third argument is bad */
#define MFUNCT_INVALID_ARGUMENT_4 7004 /* fourth argument is bad */
#define MFUNCT_INVALID_ARGUMENT_5 7005 /* fifth argument is bad */
#define MFUNCT_COULD_NOT_APPLY_FUNCT 7006 /* function cannot be applied */
#define MFUNCT_COULD_NOT_INIT_FUNCT 7007 /* function cannot start */
#define MFUNCT_SEM_ERROR 7008 /* function failed to synchronise */
#define MFUNCT_NOT_SUPPORTED 7009 /* not supported */
#define MFUNCT_INVALID_ARGUMENT_DESCRIPTOR 7010 /* function declares an unknown argument kind */
#define MFUNCT_INVALID_ARGUMENT_6 7011 /* sixth argument is bad */
#define ADMCTRL_MEM_ERROR 8000 /* admission control is out of memory */
#define ADMCTRL_NO_AUTHDATA 8001 /* no credentials */
#define ADMCTRL_COMM_FAILURE 8002 /* admission control cannot be reached */
#define ADMCTRL_AUTH_FAILED 8003 /* not allowed */
#define MAPI_STATS_ERROR 8004 /* device statistics are not available */

#endif
