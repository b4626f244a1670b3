package mapierr

// A Code is an error number of the original API (its mapi_errors.h), or Canceled.
type Code int

// Canceled says that the context of a call has ended. The original has no such
// error and no number from 9000 on. It is for Go programs; package mapi never
// passes it to other languages.
const Canceled Code = 9000

// All error numbers. The names follow the original's symbols.
const (
	PcapBPF                Code = 1025 // filter expression does not compile
	PcapOpen               Code = 1026 // capture handle cannot be opened
	PcapOpenDead           Code = 1027 // filter compiler cannot be used
	NICThread              Code = 1100 // network interface driver cannot start capturing
	Combo6Open             Code = 1200 // Combo6 card cannot be opened
	Combo6Thread           Code = 1201 // Combo6 driver cannot start capturing
	Combo6GetOption        Code = 1202 // Combo6 option cannot be read
	Combo6GetStats         Code = 1203 // Combo6 statistics unit cannot be read
	DAGOpen                Code = 1300 // DAG card cannot be opened
	DAGThread              Code = 1301 // DAG driver cannot start capturing
	DAGMmap                Code = 1302 // DAG ring cannot be mapped
	DAGStart               Code = 1303 // DAG card cannot be started
	VINThread              Code = 1400 // replay-directory driver cannot start reading
	VINOffline             Code = 1401 // replay-directory driver reads no single files
	VINDevice              Code = 1402 // replay-directory driver does not know this device
	DriverOffline          Code = 1501 // driver reads no capture files
	NapatechThread         Code = 1600 // Napatech driver cannot start capturing
	NapatechOpenCard       Code = 1601 // no Napatech card
	NapatechShutdown       Code = 1602 // Napatech feeds are busy
	NotFound               Code = 3073 // unknown error number
	InvalidFlowID          Code = 3074 // the daemon knows no such flow
	DaemonShm              Code = 3075 // shared memory for results cannot be made
	DaemonSem              Code = 3076 // semaphore cannot be made
	DaemonTmp              Code = 3077 // temporary file cannot be made
	InvalidFunctionID      Code = 3078 // the flow has no such function
	DaemonFunctionNotFound Code = 3079 // the daemon knows no such function
	CouldNotApply          Code = 3080 // function could not be applied
	FlowAlreadyActive      Code = 3081 // the flow is connected already
	NoModifying            Code = 3082 // functions that change packets are not allowed
	FileExists             Code = 3083 // the file exists
	Memory                 Code = 3084 // out of memory
	NotAuthenticated       Code = 3139 // the flow has no credentials
	NoDriver               Code = 3200 // no device or driver of that name
	NoFD                   Code = 3201 // the file descriptor did not arrive
	NoDevice               Code = 3202 // no such offline device
	EthDlink               Code = 3500 // display filter: link type
	EthSymNotFound         Code = 3501 // display filter: symbol
	EthFilter              Code = 3502 // display filter: expression
	StrSearchPipe          Code = 3503 // hex block of the search pattern is not closed
	StrSearchDepth         Code = 3504 // search depth is less than the pattern's length
	StrSearchPattern       Code = 3505 // not a valid search pattern
	CommUnknown            Code = 5121 // message of an unexpected kind
	CommErrorAck           Code = 5122 // the daemon refused to close
	CommSocket             Code = 5123 // connection to the daemon or sensor failed
	CommInitSocket         Code = 5124 // no daemon answers
	ShuttingDown           Code = 6140 // the daemon is going down
	NotInitialized         Code = 6141 // nothing was created yet: create a flow or an offline device first
	ClientConnect          Code = 6142 // the file was read to its end before the flow was connected
	FlowNotConnected       Code = 6143 // the flow is not connected
	FunctionNotFound       Code = 6144 // no such function for this type of device
	InvalidFlow            Code = 6145 // no such flow
	NoResult               Code = 6146 // the function has no result
	InvalidFunction        Code = 6147 // no such flow or function
	ReaderSem              Code = 6148 // result could not be read
	FlowInfo               Code = 6149 // no such flow to tell about
	FunctionInfo           Code = 6150 // no such function to tell about
	LibraryLoad            Code = 6151 // function library cannot be loaded
	LibPath                Code = 6152 // path of the function libraries is unknown
	Libs                   Code = 6153 // list of the function libraries is unknown
	Path                   Code = 6154 // path is unknown
	File                   Code = 6155 // file cannot be used
	SendFD                 Code = 6156 // file descriptor could not be passed
	DeviceInfo             Code = 6157 // no such device to tell about
	InvalidArgument        Code = 7000 // bad argument
	InvalidArgument1       Code = 7001 // first argument is bad
	InvalidArgument2       Code = 7002 // second argument is bad
	InvalidArgument3       Code = 7003 // third argument is bad
	InvalidArgument4       Code = 7004 // fourth argument is bad
	InvalidArgument5       Code = 7005 // fifth argument is bad
	CouldNotApplyFunction  Code = 7006 // function cannot be applied
	CouldNotInitFunction   Code = 7007 // function cannot start
	FunctionSem            Code = 7008 // function failed to synchronise
	NotSupported           Code = 7009 // not supported
	ArgumentDescriptor     Code = 7010 // function declares an unknown argument kind
	InvalidArgument6       Code = 7011 // sixth argument is bad
	AdmissionMemory        Code = 8000 // admission control is out of memory
	NoAuthData             Code = 8001 // no credentials
	AdmissionComm          Code = 8002 // admission control cannot be reached
	AuthFailed             Code = 8003 // not allowed
	Stats                  Code = 8004 // device statistics are not available
)

var texts = map[Code]string{
	Canceled:               "gave up: the context of the call has ended",
	PcapBPF:                "filter expression does not compile",
	PcapOpen:               "capture handle cannot be opened",
	PcapOpenDead:           "filter compiler cannot be used",
	NICThread:              "network interface driver cannot start capturing",
	Combo6Open:             "Combo6 card cannot be opened",
	Combo6Thread:           "Combo6 driver cannot start capturing",
	Combo6GetOption:        "Combo6 option cannot be read",
	Combo6GetStats:         "Combo6 statistics unit cannot be read",
	DAGOpen:                "DAG card cannot be opened",
	DAGThread:              "DAG driver cannot start capturing",
	DAGMmap:                "DAG ring cannot be mapped",
	DAGStart:               "DAG card cannot be started",
	VINThread:              "replay-directory driver cannot start reading",
	VINOffline:             "replay-directory driver reads no single files",
	VINDevice:              "replay-directory driver does not know this device",
	DriverOffline:          "driver reads no capture files",
	NapatechThread:         "Napatech driver cannot start capturing",
	NapatechOpenCard:       "no Napatech card",
	NapatechShutdown:       "Napatech feeds are busy",
	NotFound:               "unknown error number",
	InvalidFlowID:          "the daemon knows no such flow",
	DaemonShm:              "shared memory for results cannot be made",
	DaemonSem:              "semaphore cannot be made",
	DaemonTmp:              "temporary file cannot be made",
	InvalidFunctionID:      "the flow has no such function",
	DaemonFunctionNotFound: "the daemon knows no such function",
	CouldNotApply:          "function could not be applied",
	FlowAlreadyActive:      "the flow is connected already",
	NoModifying:            "functions that change packets are not allowed",
	FileExists:             "the file exists",
	Memory:                 "out of memory",
	NotAuthenticated:       "the flow has no credentials",
	NoDriver:               "no device or driver of that name",
	NoFD:                   "the file descriptor did not arrive",
	NoDevice:               "no such offline device",
	EthDlink:               "display filter: link type",
	EthSymNotFound:         "display filter: symbol",
	EthFilter:              "display filter: expression",
	StrSearchPipe:          "hex block of the search pattern is not closed",
	StrSearchDepth:         "search depth is less than the pattern's length",
	StrSearchPattern:       "not a valid search pattern",
	CommUnknown:            "message of an unexpected kind",
	CommErrorAck:           "the daemon refused to close",
	CommSocket:             "connection to the daemon or sensor failed",
	CommInitSocket:         "no daemon answers",
	ShuttingDown:           "the daemon is going down",
	NotInitialized:         "nothing was created yet: create a flow or an offline device first",
	ClientConnect:          "the file was read to its end before the flow was connected",
	FlowNotConnected:       "the flow is not connected",
	FunctionNotFound:       "no such function for this type of device",
	InvalidFlow:            "no such flow",
	NoResult:               "the function has no result",
	InvalidFunction:        "no such flow or function",
	ReaderSem:              "result could not be read",
	FlowInfo:               "no such flow to tell about",
	FunctionInfo:           "no such function to tell about",
	LibraryLoad:            "function library cannot be loaded",
	LibPath:                "path of the function libraries is unknown",
	Libs:                   "list of the function libraries is unknown",
	Path:                   "path is unknown",
	File:                   "file cannot be used",
	SendFD:                 "file descriptor could not be passed",
	DeviceInfo:             "no such device to tell about",
	InvalidArgument:        "bad argument",
	InvalidArgument1:       "first argument is bad",
	InvalidArgument2:       "second argument is bad",
	InvalidArgument3:       "third argument is bad",
	InvalidArgument4:       "fourth argument is bad",
	InvalidArgument5:       "fifth argument is bad",
	CouldNotApplyFunction:  "function cannot be applied",
	CouldNotInitFunction:   "function cannot start",
	FunctionSem:            "function failed to synchronise",
	NotSupported:           "not supported",
	ArgumentDescriptor:     "function declares an unknown argument kind",
	InvalidArgument6:       "sixth argument is bad",
	AdmissionMemory:        "admission control is out of memory",
	NoAuthData:             "no credentials",
	AdmissionComm:          "admission control cannot be reached",
	AuthFailed:             "not allowed",
	Stats:                  "device statistics are not available",
}
