// Package stdflib is the standard function library of MAPI: filters, counters, and
// functions that read the results of others. Each function has its own file, and Library
// lists them.
package stdflib

import (
	"gomapi/flib"
	"gomapi/internal/outfile"
)

// maxFiles is the maximum number of files that all flows of a daemon write at a time.
// Each may take 4 MiB and a thread.
const maxFiles = 512

// Library returns the library for one daemon. mapi.conf refers to it by its name.
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
