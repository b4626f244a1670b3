package books

import "strings"

// Names of lines. "lost" and "not written" are losses: a packet was requested
// but not received. "refused" is a decision, "waiting" is temporary.
const (
	// Names of device lines.
	Delivered      = "delivered"
	NoFlow         = "no flow"
	LostRing       = "lost: ring full"
	LostUnreadable = "lost: unreadable"
	Filtered       = "filtered by the device"
	Waiting        = "waiting"

	// Notes of devices.
	LostInterface     = "before: lost by the interface"
	DroppedInterface  = "maybe lost: dropped by interface or system"
	OfWhichTruncated  = "of which truncated"
	OfWhichOutOfTime  = "of which before 1970 or after 2106"
	OfWhichUnfiltered = "of which without filters for their link type"
	SkippedRecords    = "records skipped"
	UnknownLosses     = "losses of unknown size"
	Freezes           = "times the ring was full"
	Reopens           = "times the interface came back"
	LostClosedFlows   = "lost by closed flows"
	Shared            = "spared by sharing"
	Faults            = "functions that failed"
	Unmerged          = "flows that settle"
	SingleFilters     = "filters that run singly"
	SingleSearches    = "searches that run singly"
	PassedBy          = "flows that are passed by"
	Withheld          = "withheld by forced functions"

	// Names of lines of flows and functions.
	Passed  = "passed"
	Refused = "refused"
	Taken   = "taken"
	Held    = "held"
	Emitted = "emitted"
	Early   = "from before connect"
	// LostFault counts what a function was given when it failed.
	LostFault = "lost: function failed"
	// LostShare counts what a flow did not get because it was passed by.
	LostShare = "lost: passed by"

	// Names of lines of packet buffers.
	Written          = "written"
	OfWhichCutBuffer = "of which cut to half of the buffer"
	LostBuffer       = "lost: buffer full"

	// Names of lines of files.
	LostQueue       = "lost: queue full"
	NotWrittenError = "not written: file error"
	NotWrittenClose = "not written: flow closed"
	BeyondLimit     = "refused: limit reached"
	OtherLinkType   = "refused: other link type"
	OfWhichCut      = "of which cut to the snapshot length"
	FileBytes       = "bytes written"

	// Notes of functions with records.
	RecordsWritten      = "records written"
	RecordsLostBuffer   = "records lost: buffer full"
	RecordsLostTooLarge = "records lost: too large"

	// Notes of result files, which count rows.
	RowsWritten         = "rows written"
	RowsWaiting         = "rows waiting"
	RowsLostQueue       = "rows lost: queue full"
	RowsNotWrittenError = "rows not written: file error"
	RowsNotWrittenClose = "rows not written: flow closed"
	RowsNoValue         = "rows left out: no value"
	RowsTooMany         = "rows left out: too many"
)

// An Entry explains a name.
type Entry struct{ Name, Meaning string }

// Glossary returns all names with their meanings, in the order of a packet's way.
func Glossary() []Entry {
	return []Entry{
		{Delivered, "passed to the connected flows"},
		{NoFlow, "arrived while the device was open but no flow was connected"},
		{LostRing, "dropped by the kernel because the ring of the device was full: the daemon was too slow"},
		{LostUnreadable, "received, but the record of the packet was damaged or invalid"},
		{Filtered, "refused by a filter that was handed to the device, which no flow of it wants"},
		{Waiting, "received, but not passed on yet: in the ring of a device, or in the queue of a file"},
		{LostInterface, "lost by the interface before reception because it had no room: missed and FIFO errors"},
		{DroppedInterface, "dropped by the interface before reception, or by the system after capture because no protocol took them: the interface counts both together"},
		{OfWhichTruncated, "delivered with fewer bytes than on the wire"},
		{OfWhichOutOfTime, "delivered with the first or last moment of packet time, because their time is outside it"},
		{OfWhichUnfiltered, "delivered, but of a link type for which no filters were compiled, or not yet: filters let none of them through"},
		{SkippedRecords, "not packets: records of the source that carry no packet or are of an unknown kind"},
		{UnknownLosses, "not packets: how often the source lost packets without telling how many"},
		{Freezes, "not packets: how often the ring of the device was full"},
		{Reopens, "not packets: how often the interface went away, returned and was reopened"},
		{LostClosedFlows, "lost for a reader or file of a flow that is closed now, since the device was opened"},
		{Shared, "not packets: how often a packet skipped a function because an equal function had processed it for all"},
		{Faults, "not packets: functions and analysers that failed and ended the flows that use them"},
		{Unmerged, "not packets: new flows that are not decided together with the others yet"},
		{SingleFilters, "not packets: leading filters that run separately for each packet because they loop or exceed a limit"},
		{SingleSearches, "not packets: strings that are searched separately because there are too many"},
		{PassedBy, "not packets: flows that get no packets for a while because the flows of their user took too much time of a device that was too slow"},
		{Withheld, "not packets: how often a packet did not leave the functions that are forced on a user's flows"},
		{Passed, "went on to the next function of the flow, or past the last one"},
		{Refused, "not returned by a function, as requested"},
		{Taken, "reached a function that emits packets in their place, and are done with"},
		{Held, "reached a function that emits packets in their place later"},
		{Emitted, "left a function that emits packets: its own, and those that it passed on"},
		{LostFault, "reached a function when it failed, which ended the flow"},
		{LostShare, "delivered by the device while the flow was passed by, because the flows of its user took too much time"},
		{Early, "already in the ring of the device when the flow was connected, so not for it"},
		{Written, "in the packet buffer for its reader, or entirely in the file"},
		{LostBuffer, "lost for one reader, which was too slow, stopped or gone"},
		{OfWhichCutBuffer, "written to the packet buffer with fewer bytes than the function that emitted them gave: they take more than half of it"},
		{LostQueue, "lost for one file, which was too slow"},
		{NotWrittenError, "lost for one file, which has failed: disk full, pipe broken"},
		{NotWrittenClose, "lost for one file, which was too slow to accept them when its flow was closed"},
		{BeyondLimit, "arrived after the file had reached its limit of packets"},
		{OtherLinkType, "of another link type than that of the file"},
		{OfWhichCut, "written with fewer bytes than captured"},
		{FileBytes, "not packets: bytes in the file, including headers"},
		{RecordsWritten, "not packets: records of a function in the buffer for its reader"},
		{RecordsLostBuffer, "not packets: records lost for the reader, which was too slow, stopped or gone"},
		{RecordsLostTooLarge, "not packets: records lost because they exceed 1 MiB or half of their buffer"},
		{RowsWritten, "not packets: rows of results that are entirely in the file"},
		{RowsWaiting, "not packets: rows of results in the queue of the file"},
		{RowsLostQueue, "not packets: rows of results lost because the file was too slow"},
		{RowsNotWrittenError, "not packets: rows of results lost because the file has failed"},
		{RowsNotWrittenClose, "not packets: rows of results that the file was too slow to accept when the flow was closed"},
		{RowsNoValue, "not packets: rows left out because the flow of one of their functions was closed or not connected"},
		{RowsTooMany, "not packets: rows left out because a packet ended more periods than a file may have rows for at once"},
	}
}

// loss reports whether a line with this name is a loss.
func loss(name string) bool {
	return strings.HasPrefix(name, "lost") || strings.HasPrefix(name, "not written")
}
