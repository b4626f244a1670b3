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
	Waiting        = "waiting"

	// Notes of devices.
	LostInterface    = "before: lost by the interface"
	DroppedInterface = "maybe lost: dropped by interface or system"
	OfWhichTruncated = "of which truncated"
	OfWhichOutOfTime = "of which before 1970 or after 2106"
	Freezes          = "times the ring was full"
	Reopens          = "times the interface came back"
	LostClosedFlows  = "lost by closed flows"
	Shared           = "spared by sharing"
	Unsettled        = "flows that settle"
	SingleFilters    = "filters that run singly"
	SingleSearches   = "searches that run singly"

	// Names of lines of flows and functions.
	Passed  = "passed"
	Refused = "refused"
	Emitted = "emitted besides"
	Early   = "from before connect"

	// Names of lines of packet buffers.
	Written      = "written"
	LostBuffer   = "lost: buffer full"
	LostTooLarge = "lost: too large"

	// Names of lines of files.
	LostQueue       = "lost: queue full"
	NotWrittenError = "not written: file error"
	NotWrittenClose = "not written: flow closed"
	BeyondLimit     = "refused: limit reached"
	OtherLinkType   = "refused: other link type"
	OfWhichCut      = "of which cut to the snapshot length"
	FileBytes       = "bytes written"

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
		{Delivered, "handed to the flows that were connected"},
		{NoFlow, "came while the device was open and no flow was connected"},
		{LostRing, "dropped by the kernel because the daemon was too slow and the ring of the device full"},
		{LostUnreadable, "received, but the record of the packet was damaged or made no sense"},
		{Waiting, "received and not handed on yet: in the ring of a device, in the queue of a file"},
		{LostInterface, "lost by the interface for want of room, before it was received: missed and FIFO errors"},
		{DroppedInterface, "were dropped by the interface before they were received, or by the system behind the capture, as no protocol took them: its count does not tell which"},
		{OfWhichTruncated, "delivered with fewer bytes than the wire carried"},
		{OfWhichOutOfTime, "delivered as of the first or the last moment of packet time, which theirs is beyond"},
		{Freezes, "not packets: how often the ring of the device was full"},
		{Reopens, "not packets: how often the interface went away, came back and was opened again"},
		{LostClosedFlows, "lost for one reader or file of a flow that is closed now, since the device was opened"},
		{Shared, "not packets: how often a packet did not go through a function because an equal one had seen it for all"},
		{Unsettled, "not packets: flows that are not decided together with all others yet, as they came lately"},
		{SingleFilters, "not packets: leading filters that run for each packet, as they loop or exceed a bound"},
		{SingleSearches, "not packets: strings that are not searched for together with the others, as there are too many"},
		{Passed, "went on: to the next function of the flow, or past the last one"},
		{Refused, "held back: a function did not return them, as it was asked to"},
		{Emitted, "packets that a function made besides those that it passed"},
		{Early, "were in the ring of the device already when the flow was connected, and not for it"},
		{Written, "in the packet buffer for its reader, or wholly in the file"},
		{LostBuffer, "lost for one reader, which was too slow, had stopped, or was gone"},
		{LostTooLarge, "lost for one reader: the packet takes more than half of its buffer"},
		{LostQueue, "lost for one file, which was too slow"},
		{NotWrittenError, "lost for one file, which has failed: disk full, pipe broken"},
		{NotWrittenClose, "lost for one file, which was too slow to take everything when its flow was closed"},
		{BeyondLimit, "came after the number of packets that the file was to have"},
		{OtherLinkType, "of another link type than the file can hold"},
		{OfWhichCut, "written with fewer bytes than were captured"},
		{FileBytes, "not packets: bytes in the file, heads included"},
		{RowsWritten, "not packets: rows of results that are wholly in the file"},
		{RowsWaiting, "not packets: rows of results in the queue of the file"},
		{RowsLostQueue, "not packets: rows of results for which the file was too slow"},
		{RowsNotWrittenError, "not packets: rows of results lost because the file has failed"},
		{RowsNotWrittenClose, "not packets: rows of results that the file was too slow to take when the flow was closed"},
		{RowsNoValue, "not packets: rows left out because the flow of a function among them was not connected, or closed"},
		{RowsTooMany, "not packets: rows left out because a packet ended more periods than a file may have rows for at once"},
	}
}

// loss reports whether a line with this name is a loss.
func loss(name string) bool {
	return strings.HasPrefix(name, "lost") || strings.HasPrefix(name, "not written")
}
