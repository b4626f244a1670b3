// Package stdflib is the standard function library of MAPI: filters,
// counters, and functions that read the results of others. One file holds one
// function, and Library lists them.
package stdflib

import "gomapi/flib"

// Library returns the library as mapi.conf names it.
func Library() flib.Library {
	return flib.Library{
		Name: "stdflib",
		Functions: []flib.Def{
			hash, binop, bpfFilter, bucket, byteCounter, dist, gap, hashSamp, pktCounter, pktInfo,
			sample, stats, strSearch, syncFlows, threshold, toFile(), toBuffer,
		},
	}
}
