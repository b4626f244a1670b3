package classify

import "reflect"

// Stats describes the parts of a classifier.
type Stats struct {
	Members  int // filters
	Programs int // distinct ones
	Splits   int // inner nodes of the decision tree
	Leaves   int // kinds of packets

	// Programs that run for every packet, by reason.
	Loops    int // they loop ("protochain")
	TooLarge int // they exceed a limit for one program
	NoBudget int // they exceed the rest of a limit for all

	// Unindexed counts filters that run for every packet of a leaf because their index
	// would exceed a limit. A filter counts once for each leaf.
	Unindexed int

	Bytes int // memory held, without the programs
}

// Singles returns the number of programs that run for every packet because of a limit.
func (s Stats) Singles() int { return s.Loops + s.TooLarge + s.NoBudget }

func (s *Stats) count(why reason) {
	switch why {
	case hasLoop:
		s.Loops++
	case tooLarge:
		s.TooLarge++
	case noBudget:
		s.NoBudget++
	}
}

func bytesOf[T any](list []T) int { return int(reflect.TypeFor[T]().Size()) * cap(list) }
