// Package mapitest runs a mapid inside the process of a test, with devices whose
// packets the test makes up. Programs that use package mapi are tested with it
// as anybody, without interfaces, root or a mapid that runs.
//
//	func TestWeb(t *testing.T) {
//		d := mapitest.Start(t, mapitest.DeviceSpec{Name: "eth0"})
//		web, err := monitor.CountWeb(t.Context(), d.Client(), "eth0") // under test
//		...
//		err = d.Device("eth0").Send(mapitest.Packet{Data: frame})
//		...
//		if web.Packets() != 1 {
//
// The daemon is the real one, from its socket to its results: all functions and
// filters of mapid, shared memory, capture files, limits. Only the devices are
// made up. It ends with the test, which fails when the daemon does not start,
// does not stop, or has not accounted for every packet. For that, books are read at
// the end of the daemon and before Device.End; those of a device that closed because
// it had no flow for 5 s are gone.
//
// A program finds the daemon by a client (Daemon.Client, or Daemon.Socket as
// Client.Socket). One that uses the package-level calls, or is a process of its
// own, looks where MAPI_SOCKET points:
//
//	t.Setenv("MAPI_SOCKET", d.Socket())
//
// A Device sends packets one by one (Send), from an iterator (SendAll) or from a
// capture file (Play), loses some (Lose), goes away and comes back (Remove,
// Restore), or fails (End). All of them return when the daemon has dealt with the
// packets: counters can be read at once. As on a network, packets that come
// before a flow is connected are not seen by it; Device.AwaitFlows waits for a
// program that connects its flows on a goroutine, or in a process, of its own.
//
// Any number of daemons run side by side, in parallel tests too. What has no
// testing.TB, such as TestMain or an example, takes New and Close.
//
// This is the one package below mapi that links capture code and needs cgo, for
// libpcap. Filters are compiled in the process of the test, and from the first
// one on its C library finds no host names; Go's own resolver, the usual one,
// still does.
package mapitest
