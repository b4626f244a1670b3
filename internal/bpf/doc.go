// Package bpf contains classic BPF programs in the dialect of libpcap. They are checked
// once and then run on packets or on symbolic values.
//
// The files, each of which uses only those before it:
//
//	instruction.go   instructions, decoded; a load fused with the test after it
//	compute.go       arithmetic and comparisons
//	check.go         which instructions are valid: the verifier
//	program.go       a program: checked, decoded, and as bytes
//	match.go         the interpreter
//	liveness.go      which registers and scratch cells are still read
//	symbolic.go      symbolic execution on a domain of values
//
// Words to know: opcode, fusion, liveness, domain.
package bpf
