// Package stdflib is the standard function library of MAPI: filters, counters, and
// functions that read the results of others. Each function has its own file, and Library
// lists them.
package stdflib

import "gomapi/flib"

// Library returns the library. mapi.conf refers to it by its name.
func Library() flib.Library {
	return flib.Library{
		Name: "stdflib",
		Functions: []flib.Def{
			hash, binop, bpfFilter, bucket, burst, byteCounter, dist, gap, hashSamp, pktCounter, pktInfo,
			resToFile, sample, startStop, stats, strSearch, syncFlows, threshold, toFile, toBuffer,
		},
	}
}
