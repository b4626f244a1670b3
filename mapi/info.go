package mapi

import (
	"context"
	"math"
	"time"

	"gomapi/internal/wire"
)

// DeviceInfo describes a device of the daemon, or an offline device of the
// client.
type DeviceInfo struct {
	ID          int    // negative: offline
	Device      string // the name for CreateFlow
	Name        string // driver
	Alias       string
	Description string
	LinkSpeed   int  // Mbit/s; 0: unknown
	MPLS, VLAN  bool // the traffic carries such tags
	Status      DeviceStatus
	Unavailable string // why no flow can be created on it; empty if one can
}

// DeviceStatus is the state of a device, with the numbers of the original API.
type DeviceStatus int

// States of a device.
const (
	DeviceOnline   DeviceStatus = 0 // live
	DeviceSetUp    DeviceStatus = 1 // file, not started
	DeviceReading  DeviceStatus = 2
	DeviceFinished DeviceStatus = 3 // file read to its end
	DeviceDeleted  DeviceStatus = 4
)

func (s DeviceStatus) String() string {
	return word(map[DeviceStatus]string{
		DeviceOnline: "online", DeviceSetUp: "set up", DeviceReading: "reading", DeviceFinished: "finished", DeviceDeleted: "deleted",
	}, "status", s)
}

// LibraryInfo describes a function library of the daemon.
type LibraryInfo struct {
	ID        int // position in the search order, from 0
	Name      string
	Functions int // number of functions
}

// LibFunctInfo describes a function of a library.
type LibFunctInfo struct {
	ID          int // position in the library, from 0
	Name        string
	Description string
	ArgDescr    string // one letter per argument: i int, l uint64, c char, s string, w output file, r flow, f function, S functions
	DevType     string // node in the tree of device types that it is made for; "1": any
	Args        []ArgInfo
	Result      string        // the result and its unit; empty: no result
	Example     string        // a call in Go
	Call        string        // the same as text, as mapi apply takes it
	Fields      []ResultField // the result, or an entry of its series, one after the other; nil: see Result
	// Text is the result as text. {name} is the value of a field with its unit,
	// {#name} the value alone, or the number of rows. [a|b] is a if the fields in
	// it have values, otherwise b. Empty: the names of the fields with their values.
	Text string
}

// ResultField describes a part of a result.
type ResultField struct {
	Name string // empty: of no interest
	// Kind is the encoding, in the host's byte order: uint32, int32, uint64, int64,
	// float64, time (uint64 in 2^-32 s since 1970, 0: none), moment (the same, but 0
	// is a time too), span (int64 in 2^-32 s), rows (a list), or index (in a row: its
	// number, from 0; it takes no bytes, and rows of zeros need not be shown).
	Kind string
	Unit string // in the plural; "@target": that of the first word of the first function referred to; empty: none
	// When has the arguments with which the field is there, such as
	// "type=2,66 boundary=0"; empty: always. Of several fields with one name, the
	// first of these is there.
	When     string
	Optional bool             // a value with all bits set is none
	Hidden   bool             // only for Text
	Words    map[int64]string // the values as words; nil: numbers
	// Rows are the fields of each row of a list. The list takes the room that the
	// fields behind it leave.
	Rows []ResultField
}

// ArgInfo describes an argument of a function.
type ArgInfo struct {
	Name, Kind, Doc string
	Optional        bool   // it may be omitted
	Default         string // value of an omitted argument
	Range           string // allowed values; empty: see Doc
	Added           bool   // the original's function lacks it
}

// FlowInfo describes a flow.
type FlowInfo struct {
	UID       uint32 // user who created it
	PID       int    // process that created it; 0: unknown
	Program   string // name of that process when it connected; empty: unknown; it may contain any characters
	FD        int    // 1<<30 or more: flow of another connection, read-only
	DeviceID  int
	Device    string
	Functions int
	Start     time.Time // time of Connect; zero before
	End       time.Time // end of the device; zero before
	Status    FlowStatus
	Err       error // error that ended the device; nil at the end of a file
	// Books are the books from the device, or the leading filter, to after the
	// last function; nil before Connect.
	Books *Books
}

// FunctionInfo describes a function applied to a flow.
type FunctionInfo struct {
	FID        int
	Name       string
	Library    string
	DevType    string
	Packets    uint64 // packets that reached the function since Connect
	Passed     uint64 // packets that it passed on
	ResultSize int    // bytes; 0: no result
	// Args are the arguments as text, each of at most 1024 bytes. Files are
	// paths, and functions are "fid@fd" with the numbers of the program that
	// created the flow.
	Args []string
	// Books account for its packets; nil before Connect, and for a leading
	// BPF_FILTER, which never touches the packets that it rejects.
	Books *Books
}

// every requests page after page until the daemon has no more entries and
// returns the error none. 6145 and 6141 mean that the last flow of the page, or
// the flow of the entries, was closed meanwhile.
func every[T any](none Code, first int, id func(T) int, get func(after int) ([]T, error)) ([]T, error) {
	var all []T
	for after := first; ; {
		page, err := get(after)
		if isCode(err, none, ErrInvalidFlow, ErrNotInitialized) || (err == nil && len(page) == 0) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		after = id(page[len(page)-1])
	}
}

// Devices returns the devices on which the client can create flows, in
// ascending order of number: its offline devices (negative), then the live
// devices.
func (c *Client) Devices(ctx context.Context) ([]DeviceInfo, error) {
	all, err := every(ErrDeviceInfo, math.MinInt32, func(d DeviceInfo) int { return d.ID },
		func(after int) ([]DeviceInfo, error) { return c.devices(ctx, after, true, pageLimit) })
	return all, c.fail(err, "list devices")
}

// Libraries returns the function libraries in search order.
func (c *Client) Libraries(ctx context.Context) ([]LibraryInfo, error) {
	all, err := every(ErrNotSupported, -1, func(l LibraryInfo) int { return l.ID },
		func(after int) ([]LibraryInfo, error) { return c.libraries(ctx, after, true, pageLimit) })
	return all, c.fail(err, "list libraries")
}

// LibraryFunctions returns the functions of a library.
func (c *Client) LibraryFunctions(ctx context.Context, library int) ([]LibFunctInfo, error) {
	all, err := every(ErrNotSupported, -1, func(f LibFunctInfo) int { return f.ID },
		func(after int) ([]LibFunctInfo, error) {
			return c.libraryFunctions(ctx, library, after, true, pageLimit)
		})
	return all, c.fail(err, "list functions of library %d", library)
}

// Flows returns the flows that the client may see: its own, and those of the
// user's other programs (all for root), which have numbers of 1<<30 or more.
func (c *Client) Flows(ctx context.Context) ([]FlowInfo, error) {
	all, err := every(ErrFlowInfo, 0, func(f FlowInfo) int { return f.FD },
		func(after int) ([]FlowInfo, error) { return c.flows(ctx, after, true, pageLimit) })
	return all, c.fail(err, "list flows")
}

// FlowFunctions returns the functions of a flow that Flows has listed, in
// ascending order of number.
func (c *Client) FlowFunctions(ctx context.Context, fd int) ([]FunctionInfo, error) {
	all, err := every(ErrFunctionInfo, 0, func(f FunctionInfo) int { return f.FID },
		func(after int) ([]FunctionInfo, error) { return c.functions(ctx, fd, after, true, pageLimit) })
	return all, c.fail(err, "list functions of flow %d", fd)
}

// Info asks the daemon about the flow.
func (f *Flow) Info(ctx context.Context) (FlowInfo, error) {
	info, err := one(f.link.flows(ctx, f.fd, false, 1))
	return info, f.client.fail(err, "info of flow %d", f.fd)
}

// Info asks the daemon about the function.
func (fn *Function) Info(ctx context.Context) (FunctionInfo, error) {
	info, err := one(fn.flow.link.functions(ctx, fn.flow.fd, fn.fid, false, 1))
	return info, fn.flow.client.fail(err, "info of function %d of flow %d", fn.fid, fn.flow.fd)
}

// one returns the first of entries.
func one[T any](entries []T, err error) (T, error) {
	var zero T
	switch {
	case err != nil:
		return zero, err
	case len(entries) == 0:
		return zero, errAnswer
	}
	return entries[0], nil
}

// pageLimit is the number of entries per request.
const pageLimit = wire.PageLimit
