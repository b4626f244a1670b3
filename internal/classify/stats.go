package classify

import "reflect"

// Stats says what a classifier consists of.
type Stats struct {
	Members  int // filters
	Programs int // distinct ones
	Splits   int // inner nodes of the decision tree
	Leaves   int // kinds of packets

	// Programs that run for every packet, with the reason.
	Loops    int // they loop ("protochain")
	TooLarge int // they exceed a bound of their own
	NoBudget int // they exceed what is left for all

	// Unindexed counts filters, once for each leaf, that run for every packet of
	// the leaf because their index would exceed a bound.
	Unindexed int

	Bytes int // held, beside the programs
}

// Singles returns how many programs run for every packet because of a bound.
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
