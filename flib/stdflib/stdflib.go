// Package stdflib is the standard function library of MAPI: filters,
// counters, and functions that read the results of others. One file holds one
// function, and Library lists them.
package stdflib

import (
	"gomapi/flib"
	"gomapi/internal/outfile"
)

// maxFiles is how many files all flows of a daemon write at a time. Each may
// take 4 MiB and a thread.
const maxFiles = 512

// Library returns the library as mapi.conf names it, for one daemon.
func Library() flib.Library {
	files := outfile.NewBudget(maxFiles)
	return flib.Library{
		Name: "stdflib",
		Functions: []flib.Def{
			hash, binop, bpfFilter, bucket, burst, byteCounter, dist, gap, hashSamp, pktCounter, pktInfo,
			resToFile(files), sample, startStop, stats, strSearch, syncFlows, threshold, toFile(files), toBuffer,
		},
	}
}
