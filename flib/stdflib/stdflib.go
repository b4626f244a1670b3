// Package stdflib is the standard function library of MAPI: filters and
// counters. One file holds one function, and Library lists them.
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
			bpfFilter, burst, byteCounter, pktCounter, resToFile(files), sample, startStop, strSearch,
			toFile(files), toBuffer,
		},
	}
}
