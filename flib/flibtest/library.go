package flibtest

import "gomapi/flib"

// Library returns small functions, one for each part of the contract of package flib that no
// function of the standard library needs.
func Library() flib.Library {
	return flib.Library{Name: "testlib", Functions: []flib.Def{echoDef, joinDef, learnedDef, lengthsDef, talkersDef, Samples}}
}
