// Package classify decides for a packet which of many filters match.
//
// Programs are read into nodes of one decision diagram. A decision tree over fields with
// few values sorts packets into leaves. Indexes lead to the filters of a leaf, as a query
// planner finds rows. docs/classifier.md explains all of this.
//
// The files, each of which uses only those before it:
//
//	set.go           sets of small numbers; growing slices
//	term.go          terms: values as functions of the packet
//	node.go          predicates, and nodes: tests with the nodes after them
//	diagram.go       the decision diagram: equal nodes are one; presence tests
//	read.go          programs to nodes
//	restrict.go      a filter restricted to a class of a term's values
//	statistics.go    how many filters test which terms
//	selectivity.go   the fraction of packets that a predicate accepts
//	cover.go         the cheapest access predicates of a filter
//	field.go         reading the value of a term from a packet
//	users.go         whose the members are
//	share.go         limits divided between users
//	group.go         groups of members with the same decision
//	posting.go       the action for a filter whose access predicate holds
//	block.go         intervals divided into aligned blocks
//	list.go          posting lists
//	index.go         from a value to its posting list
//	fill.go          making an index
//	residual.go      what an access predicate leaves undecided
//	leaf.go          leaves, and the packet lengths that they assume
//	access.go        planning: leaves with their indexes
//	split.go         inner nodes of the decision tree
//	tree.go          growing the decision tree
//	stats.go         statistics of a classifier
//	classifier.go    the classifier and its construction
//	possible.go      members that some packet could match
//	matches.go       the packets of a batch that match each member
//	scratch.go       working memory of a goroutine
//	decide.go        following posting lists
//	truncated.go     the same for packets that are too short
//	classify.go      classifying a batch of packets
//
// Words to know: term, node, presence test, term statistics, cover, residual,
// decision tree, posting.
package classify
