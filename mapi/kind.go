package mapi

// A Kind is the kind of data that a function returns to the program.
type Kind int

// Kinds of functions.
const (
	KindNone    Kind = iota // no data: the function filters or writes
	KindResult              // the latest result: Read, Uint64
	KindSeries              // entries in order: ReadNext
	KindPackets             // packets: Next, TryNext, NextBatch
	KindRecords             // records: ReadNext, or Read for all that are there
)

func (k Kind) String() string {
	names := [...]string{"none", "result", "series", "packets", "records"}
	if k < 0 || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// Kind returns the kind of data of the function. For some functions it depends on the
// arguments. It does not change after Apply.
func (fn *Function) Kind() Kind {
	switch {
	case fn.isSeries():
		return KindSeries
	case fn.hasRecords():
		return KindRecords
	case fn.buffer != nil:
		return KindPackets
	case fn.result != nil:
		return KindResult
	}
	return KindNone
}
