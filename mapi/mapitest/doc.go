// Package mapitest runs a mapid inside the process of a test, with devices
// whose packets the test defines. With it, programs that use package mapi can
// be tested by any user, without interfaces, root or a running mapid.
//
//	func TestWeb(t *testing.T) {
//	    d := mapitest.Start(t, mapitest.DeviceSpec{Name: "eth0"})
//	    web, err := monitor.CountWeb(t.Context(), d.Client(), "eth0") // under test
//	    ...
//	    err = d.Device("eth0").Send(mapitest.Packet{Data: frame})
//	    ...
//	    if web.Packets() != 1 {
//
// The daemon is real, from its socket to its results: all functions and filters
// of mapid, shared memory, capture files, limits. Only the devices are
// simulated. It ends with the test, which fails if the daemon does not start,
// does not stop, or has not accounted for every packet. To check that, mapitest
// reads the books at the end of the daemon and before Device.End. The books of
// a device that closed after 5 s without a flow are lost.
//
// A program connects to the daemon by a client (Daemon.Client, or Daemon.Socket
// as Client.Socket). A program that uses the package-level calls, or is a
// separate process, uses MAPI_SOCKET:
//
//	t.Setenv("MAPI_SOCKET", d.Socket())
//
// A Device sends packets singly (Send), from an iterator (SendAll) or from a
// capture file (Play), loses packets (Lose), is removed and returns (Remove,
// Restore), or fails (End). Each call returns when the daemon has handled the
// packets, so counters can be read at once. As on a network, a flow does not
// see packets that arrive before it is connected. Device.AwaitFlows waits for a
// program that connects its flows on another goroutine or in another process.
//
// Any number of daemons may run concurrently, including in parallel tests. Code
// without a testing.TB, such as TestMain or an example, uses New and Close.
//
// This is the only package below mapi that links capture code and needs cgo,
// for libpcap. Filters are compiled in the process of the test. After the first
// one, the C library of this process resolves no host names any more; Go's own
// resolver, the default, still works.
package mapitest
