package mapi

import "gomapi/internal/mapierr"

// A Code is an error number of the API. It is also an error, so errors.Is(err,
// mapi.ErrInvalidFlow) checks for a number.
type Code = mapierr.Code

// ErrCanceled, 9000, is the number of a call that ended because its context has
// ended. The original lacks it, because its calls have no contexts. For such an
// error, errors.Is also finds context.Canceled or context.DeadlineExceeded.
const ErrCanceled = mapierr.Canceled

// Error numbers, with the values of the original API.
const (
	ErrPcapBPF                = mapierr.PcapBPF                // 1025: filter expression does not compile
	ErrPcapOpen               = mapierr.PcapOpen               // 1026: capture handle cannot be opened
	ErrPcapOpenDead           = mapierr.PcapOpenDead           // 1027: filter compiler cannot be used
	ErrNICThread              = mapierr.NICThread              // 1100: network interface driver cannot start capturing
	ErrCombo6Open             = mapierr.Combo6Open             // 1200: Combo6 card cannot be opened
	ErrCombo6Thread           = mapierr.Combo6Thread           // 1201: Combo6 driver cannot start capturing
	ErrCombo6GetOption        = mapierr.Combo6GetOption        // 1202: Combo6 option cannot be read
	ErrCombo6GetStats         = mapierr.Combo6GetStats         // 1203: Combo6 statistics unit cannot be read
	ErrDAGOpen                = mapierr.DAGOpen                // 1300: DAG card cannot be opened
	ErrDAGThread              = mapierr.DAGThread              // 1301: DAG driver cannot start capturing
	ErrDAGMmap                = mapierr.DAGMmap                // 1302: DAG ring cannot be mapped
	ErrDAGStart               = mapierr.DAGStart               // 1303: DAG card cannot be started
	ErrVINThread              = mapierr.VINThread              // 1400: replay-directory driver cannot start reading
	ErrVINOffline             = mapierr.VINOffline             // 1401: replay-directory driver reads no single files
	ErrVINDevice              = mapierr.VINDevice              // 1402: replay-directory driver does not know this device
	ErrDriverOffline          = mapierr.DriverOffline          // 1501: driver reads no capture files
	ErrNapatechThread         = mapierr.NapatechThread         // 1600: Napatech driver cannot start capturing
	ErrNapatechOpenCard       = mapierr.NapatechOpenCard       // 1601: no Napatech card
	ErrNapatechShutdown       = mapierr.NapatechShutdown       // 1602: Napatech feeds are busy
	ErrNotFound               = mapierr.NotFound               // 3073: unknown error number
	ErrInvalidFlowID          = mapierr.InvalidFlowID          // 3074: the daemon knows no such flow
	ErrDaemonShm              = mapierr.DaemonShm              // 3075: shared memory for results cannot be made
	ErrDaemonSem              = mapierr.DaemonSem              // 3076: semaphore cannot be made
	ErrDaemonTmp              = mapierr.DaemonTmp              // 3077: temporary file cannot be made
	ErrInvalidFunctionID      = mapierr.InvalidFunctionID      // 3078: the flow has no such function
	ErrDaemonFunctionNotFound = mapierr.DaemonFunctionNotFound // 3079: the daemon knows no such function
	ErrCouldNotApply          = mapierr.CouldNotApply          // 3080: function could not be applied
	ErrFlowAlreadyActive      = mapierr.FlowAlreadyActive      // 3081: the flow is connected already
	ErrNoModifying            = mapierr.NoModifying            // 3082: functions that change packets are not allowed
	ErrFileExists             = mapierr.FileExists             // 3083: the file exists
	ErrMemory                 = mapierr.Memory                 // 3084: out of memory
	ErrNotAuthenticated       = mapierr.NotAuthenticated       // 3139: the flow has no credentials
	ErrNoDriver               = mapierr.NoDriver               // 3200: no device or driver of that name
	ErrNoFD                   = mapierr.NoFD                   // 3201: the file descriptor did not arrive
	ErrNoDevice               = mapierr.NoDevice               // 3202: no such offline device
	ErrEthDlink               = mapierr.EthDlink               // 3500: display filter: link type
	ErrEthSymNotFound         = mapierr.EthSymNotFound         // 3501: display filter: symbol
	ErrEthFilter              = mapierr.EthFilter              // 3502: display filter: expression
	ErrStrSearchPipe          = mapierr.StrSearchPipe          // 3503: hex block of the search pattern is not closed
	ErrStrSearchDepth         = mapierr.StrSearchDepth         // 3504: search depth is less than the pattern's length
	ErrStrSearchPattern       = mapierr.StrSearchPattern       // 3505: not a valid search pattern
	ErrCommUnknown            = mapierr.CommUnknown            // 5121: message of an unexpected kind
	ErrCommErrorAck           = mapierr.CommErrorAck           // 5122: the daemon refused to close
	ErrCommSocket             = mapierr.CommSocket             // 5123: connection to the daemon or sensor failed
	ErrCommInitSocket         = mapierr.CommInitSocket         // 5124: no daemon answers
	ErrShuttingDown           = mapierr.ShuttingDown           // 6140: the daemon is going down
	ErrNotInitialized         = mapierr.NotInitialized         // 6141: nothing was created yet: create a flow or an offline device first
	ErrClientConnect          = mapierr.ClientConnect          // 6142: the file was read to its end before the flow was connected
	ErrFlowNotConnected       = mapierr.FlowNotConnected       // 6143: the flow is not connected
	ErrFunctionNotFound       = mapierr.FunctionNotFound       // 6144: no such function for this type of device
	ErrInvalidFlow            = mapierr.InvalidFlow            // 6145: no such flow
	ErrNoResult               = mapierr.NoResult               // 6146: the function has no result
	ErrInvalidFunction        = mapierr.InvalidFunction        // 6147: no such flow or function
	ErrReaderSem              = mapierr.ReaderSem              // 6148: result could not be read
	ErrFlowInfo               = mapierr.FlowInfo               // 6149: no such flow to tell about
	ErrFunctionInfo           = mapierr.FunctionInfo           // 6150: no such function to tell about
	ErrLibraryLoad            = mapierr.LibraryLoad            // 6151: function library cannot be loaded
	ErrLibPath                = mapierr.LibPath                // 6152: path of the function libraries is unknown
	ErrLibs                   = mapierr.Libs                   // 6153: list of the function libraries is unknown
	ErrPath                   = mapierr.Path                   // 6154: path is unknown
	ErrFile                   = mapierr.File                   // 6155: file cannot be used
	ErrSendFD                 = mapierr.SendFD                 // 6156: file descriptor could not be passed
	ErrDeviceInfo             = mapierr.DeviceInfo             // 6157: no such device to tell about
	ErrInvalidArgument        = mapierr.InvalidArgument        // 7000: bad argument
	ErrInvalidArgument1       = mapierr.InvalidArgument1       // 7001: first argument is bad
	ErrInvalidArgument2       = mapierr.InvalidArgument2       // 7002: second argument is bad
	ErrInvalidArgument3       = mapierr.InvalidArgument3       // 7003: third argument is bad
	ErrInvalidArgument4       = mapierr.InvalidArgument4       // 7004: fourth argument is bad
	ErrInvalidArgument5       = mapierr.InvalidArgument5       // 7005: fifth argument is bad
	ErrCouldNotApplyFunction  = mapierr.CouldNotApplyFunction  // 7006: function cannot be applied
	ErrCouldNotInitFunction   = mapierr.CouldNotInitFunction   // 7007: function cannot start
	ErrFunctionSem            = mapierr.FunctionSem            // 7008: function failed to synchronise
	ErrNotSupported           = mapierr.NotSupported           // 7009: not supported
	ErrArgumentDescriptor     = mapierr.ArgumentDescriptor     // 7010: function declares an unknown argument kind
	ErrInvalidArgument6       = mapierr.InvalidArgument6       // 7011: sixth argument is bad
	ErrAdmissionMemory        = mapierr.AdmissionMemory        // 8000: admission control is out of memory
	ErrNoAuthData             = mapierr.NoAuthData             // 8001: no credentials
	ErrAdmissionComm          = mapierr.AdmissionComm          // 8002: admission control cannot be reached
	ErrAuthFailed             = mapierr.AuthFailed             // 8003: not allowed
	ErrStats                  = mapierr.Stats                  // 8004: device statistics are not available
)
