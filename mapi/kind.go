package mapi

// A Kind says what a program gets from a function.
type Kind int

// Kinds of functions.
const (
	KindNone    Kind = iota // nothing: it filters or writes
	KindResult              // a result, the newest: Read, Uint64
	KindSeries              // entries, one by one: ReadNext
	KindPackets             // packets: Next, TryNext, NextBatch
)

func (k Kind) String() string {
	names := [...]string{"none", "result", "series", "packets"}
	if k < 0 || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// Kind tells what the function gives. It depends on the arguments of some functions, and
// never changes.
func (fn *Function) Kind() Kind {
	switch {
	case fn.isSeries():
		return KindSeries
	case fn.buffer != nil:
		return KindPackets
	case fn.result != nil:
		return KindResult
	}
	return KindNone
}
