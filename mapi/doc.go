// Package mapi is the Monitoring API. A program states what it wants to know
// about the traffic of a device. The daemon mapid measures it near the wire,
// for all programs at once, and the program reads the results.
//
// The central concept is the flow: the packets of a device that pass through
// the functions applied to it.
//
//	flow, err := client.CreateFlow(ctx, "eth0")
//	flow.Apply(ctx, "BPF_FILTER", "tcp and dst port 80")
//	packets, err := flow.Apply(ctx, "PKT_COUNTER")
//	flow.Connect(ctx)
//	...
//	n, err := packets.Uint64()
//
// The package has two layers. Client, Flow and Function are the Go API: values
// with contexts and errors, and any number of daemons in one program. The calls
// of the original API are built on top of them and use a default client:
// CreateFlow, ApplyFunction, Connect, ReadResults, CloseFlow and so on, with
// numbers for flows (fd) and functions (fid), and ReadError for the last error.
// Code written with them reads line by line like the original's tutorial.
//
// Devices are live devices, with their names in mapi.conf (interfaces, cards),
// and offline devices, which a program creates from capture files. The same
// program works on both.
//
// TO_BUFFER gives a program the packets themselves: one at a time with Next,
// Packets, GetNextPkt or Loop, or several per call with NextBatch.
//
// A function may use the result of another function, in its own or another flow
// of the client: the argument is then a *Function.
//
//	sizes, err := flow.Apply(ctx, "PKTINFO", mapi.PktSize)
//	spread, err := flow.Apply(ctx, "DIST", sizes, 0, 1600, 100)
//
// Most functions have one result, the latest, which Read and Uint64 copy. Some,
// such as BUCKET, have a series of entries. Each entry is read once, in order,
// with Results, ReadNext or ReadResults, which wait for the next entry. Package
// result has the types.
//
// Results are in memory that the daemon shares with the program: a read makes
// no system call and never disturbs the capture. This package reads no packets
// from devices, and links no capture code and no C.
//
// # Programs in another module
//
// For a module that is not published, tell the go command its directory:
//
//	go mod edit -require=gomapi@v0.0.0 -replace=gomapi=/src/gomapi
//	go mod tidy
//
// To publish the module, set its path everywhere with "make module
// MODULE=host/path". Programs then import host/path/mapi and need no replace.
//
// # Goroutines and errors
//
// Any goroutine may call any function and method. Errors are of type *Error and
// carry the numbers of the original API.
package mapi
