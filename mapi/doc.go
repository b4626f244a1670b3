// Package mapi is the Monitoring API: a program says what it wants to know of
// the traffic of a device, the daemon mapid finds it out close to the wire, for
// all programs at once, and the program reads the results.
//
// The central thing is the flow: the packets of a device that pass through
// the functions applied to it.
//
//	flow, err := client.CreateFlow(ctx, "eth0")
//	flow.Apply(ctx, "BPF_FILTER", "tcp and dst port 80")
//	packets, err := flow.Apply(ctx, "PKT_COUNTER")
//	flow.Connect(ctx)
//	...
//	n, err := packets.Uint64()
//
// The package has two floors. Client, Flow and Function are the Go way: values
// with contexts and errors, any number of daemons in one program. On top of
// them stand the calls of the original API over a default client, which read
// like its tutorial line by line: CreateFlow, ApplyFunction, Connect,
// ReadResults, CloseFlow and their like, with numbers for flows (fd) and
// functions (fid) and ReadError for the last error.
//
// Devices are live ones, as mapi.conf names them (interfaces, cards), and
// offline ones, which a program makes of capture files. The same program works
// on both.
//
// TO_BUFFER gives a program the packets themselves, one after the other, with
// Next, Packets, GetNextPkt or Loop, or several per call, with NextBatch.
//
// A function may work on what another one has found, in its own or another flow of
// the client: a *Function is an argument then.
//
//	sizes, err := flow.Apply(ctx, "PKTINFO", mapi.PktSize)
//	spread, err := flow.Apply(ctx, "DIST", sizes, 0, 1600, 100)
//
// Most functions have one result, the newest, which Read and Uint64 copy. Some, such
// as BUCKET, have a series: entries to be read one by one, each once, with Results,
// ReadNext or ReadResults, which wait for the next one. Package result has the types.
//
// Results are read from memory that the daemon shares with the program: reading
// costs no system call and never disturbs the capture. Nothing here reads
// packets from a device; the package links no capture code and no C.
//
// # Programs in another module
//
// The go command finds a module that is not published in the folder in which it lies:
//
//	go mod edit -require=gomapi@v0.0.0 -replace=gomapi=/src/gomapi
//	go mod tidy
//
// Who publishes it gives it its path, everywhere, with "make module MODULE=host/path".
// Then programs import host/path/mapi and need no replace.
//
// # Goroutines and errors
//
// All functions and methods may be called from any goroutine. Errors are of
// type *Error and carry the numbers of the original API.
package mapi
