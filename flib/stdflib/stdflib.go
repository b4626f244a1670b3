// Package stdflib is the standard function library of MAPI: filters and
// counters. One file holds one function, and Library lists them.
package stdflib

import "gomapi/flib"

// Library returns the library as mapi.conf names it.
func Library() flib.Library {
	return flib.Library{
		Name: "stdflib",
		Functions: []flib.Def{hash, bpfFilter, byteCounter, dist, gap, hashSamp, pktCounter, pktInfo, sample,
			strSearch, toFile(), toBuffer},
	}
}
