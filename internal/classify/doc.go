// Package classify decides for a packet which of many filters match.
//
// Programs are read into nodes of one decision diagram. A decision tree over fields with
// few values sorts packets into leaves. Indexes lead to the filters of a leaf, as a query
// planner finds rows. docs/classifier.md explains all of this.
//
// The files, each of which uses only those before it:
//
//	set.go           sets that are emptied at once; slices that grow
//	term.go          terms: what a value is, as a function of the packet
//	node.go          predicates, and nodes: a test and where it leads
//	diagram.go       the decision diagram: equal nodes are one; presence tests
//	read.go          programs become nodes
//	restrict.go      what a filter is once the class of a term's value is known
//	statistics.go    how many filters test which terms
//	selectivity.go   which part of packets a predicate lets through
//	cover.go         the cheapest access predicates of a filter
//	field.go         how the value of a term is read from a packet
//	group.go         members that one program decides
//	posting.go       what is to be done with a filter whose access predicate holds
//	block.go         intervals cut into aligned blocks
//	list.go          posting lists
//	index.go         from a value to its posting list
//	fill.go          making an index
//	residual.go      what an access predicate leaves to be checked
//	leaf.go          leaves, and what they rely on in packets
//	access.go        planning: leaves with their indexes
//	split.go         inner nodes of the decision tree
//	tree.go          growing the decision tree
//	stats.go         what a classifier consists of
//	classifier.go    the classifier, and making one
//	matches.go       the packets of a batch that match each member
//	scratch.go       what a goroutine needs
//	decide.go        following posting lists
//	truncated.go     the same for packets that are too short for proofs
//	classify.go      a batch of packets through it
//
// Words to know: term, node, presence test, term statistics, cover, residual,
// decision tree, posting.
package classify
