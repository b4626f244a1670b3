package daemon

import (
	"iter"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/config"
	"gomapi/internal/engine"
	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// pageBytes is the maximum size of the entries of one answer. It leaves room
// for the other fields of the message.
const pageBytes = wire.MaxMessage - 1<<10

// maxName is the maximum length of device names in answers, in bytes.
const maxName = 4096

// query is the common part of all queries: they ask for the entry with a
// number, or for entries with higher numbers.
type query interface {
	GetNext() bool
	GetLimit() uint32
}

// limit is the maximum number of entries that a query asks for.
func limit(q query) int {
	if !q.GetNext() {
		return 1
	}
	return int(min(max(q.GetLimit(), 1), wire.PageLimit))
}

// page selects the entries that a query for number id asks for. entries are in
// ascending order of number.
func page[T proto.Message](q query, id int32, entries iter.Seq[T], number func(T) int32) (out []T) {
	most, size := limit(q), 0
	for e := range entries {
		n := number(e)
		if q.GetNext() && n <= id || !q.GetNext() && n != id {
			continue
		}
		size += proto.Size(e) + 8
		if len(out) > 0 && (size > pageBytes || len(out) >= most) {
			break
		}
		out = append(out, e)
	}
	return out
}

func (c *client) devices(q *wire.DeviceQuery, resp *wire.Response) error {
	c.daemon.discover()
	var all []*wire.Device
	for _, d := range c.session.Devices() {
		all = append(all, c.daemon.wireDevice(d))
	}
	out := page(q, q.Id, slices.Values(all), (*wire.Device).GetId)
	if len(out) == 0 {
		return mapierr.New(mapierr.DeviceInfo, "no device with number %s%d", beyond(q), q.Id)
	}
	resp.Result = &wire.Response_Devices{Devices: &wire.Devices{Devices: out}}
	return nil
}

func (c *client) deviceStats(q *wire.DeviceStatsQuery, resp *wire.Response) error {
	st, err := c.session.DeviceStats(q.Device)
	if err != nil {
		return err
	}
	resp.Result = &wire.Response_DeviceStats{DeviceStats: &wire.DeviceStats{
		Received: st.Recv, Dropped: st.Drop, IfDropped: st.IfDrop, IfDroppedOther: st.IfDropOther,
		Delivered: st.Delivered, Reopens: st.Reopens,
		Filtered: st.Filtered, SkippedRecords: st.SkippedRecords, UnknownLosses: st.UnknownLosses,
	}}
	return nil
}

func (c *client) deviceBooks(q *wire.DeviceBooksQuery, resp *wire.Response) error {
	b, err := c.session.DeviceBooks(q.Device)
	if err != nil {
		return err
	}
	resp.Result = &wire.Response_DeviceBooks{DeviceBooks: wireBooks(&b)}
	return nil
}

func wireBooks(b *books.Stage) *wire.Books {
	return &wire.Books{In: b.In, Out: wireLines(b.Out), Notes: wireLines(b.Notes), Moved: b.Moved, Opening: b.Opening}
}

func wireLines(lines []books.Line) (out []*wire.Counter) {
	for _, l := range lines {
		out = append(out, &wire.Counter{Name: l.Name, Value: l.Value})
	}
	return out
}

func (dm *daemon) wireDevice(d engine.DeviceInfo) *wire.Device {
	w := &wire.Device{
		Id: d.ID, Device: clean(d.Spec.Name, maxName), Driver: d.Spec.Driver, Alias: d.Spec.Alias,
		Description: clean(d.Spec.Description, maxName), LinkSpeed: d.Spec.LinkSpeed,
		Mpls: d.Spec.MPLS, Vlan: d.Spec.VLAN, Status: int32(d.Status),
	}
	if w.Alias == "" {
		w.Alias = config.DefaultAlias
	}
	if err := dm.missing(d.Spec); err != nil {
		w.Unavailable = clean(err.Error(), maxErrorText)
	}
	return w
}

// missing returns why no flow can be created on a device now, nil if one can.
func (dm *daemon) missing(s engine.DeviceSpec) error {
	if s.Unavailable != nil {
		return s.Unavailable
	}
	driver, _ := dm.Drivers.Live(s.Driver)
	if f, ok := driver.(drivers.Finder); ok {
		return f.Find(drivers.Config{Device: s.Name, Params: s.Params})
	}
	return nil
}

func (c *client) libraries(q *wire.LibraryQuery, resp *wire.Response) error {
	var all []*wire.Library
	for i, lib := range c.daemon.Functions.Libraries() {
		all = append(all, &wire.Library{Id: int32(i), Name: lib.Name, Functions: uint32(len(lib.Functions))})
	}
	out := page(q, q.Id, slices.Values(all), (*wire.Library).GetId)
	if len(out) == 0 {
		return mapierr.New(mapierr.NotSupported, "no function library with number %s%d", beyond(q), q.Id)
	}
	resp.Result = &wire.Response_Libraries{Libraries: &wire.Libraries{Libraries: out}}
	return nil
}

func (c *client) libraryFunctions(q *wire.LibraryFunctionQuery, resp *wire.Response) error {
	libs := c.daemon.Functions.Libraries()
	if q.Library < 0 || int(q.Library) >= len(libs) {
		return mapierr.New(mapierr.NotSupported, "no function library with number %d", q.Library)
	}
	var all []*wire.LibraryFunction
	for i := range libs[q.Library].Functions {
		d := &libs[q.Library].Functions[i]
		w := &wire.LibraryFunction{
			Id: int32(i), Name: d.Name, Description: d.Description, Argdescr: d.Descr(),
			Devtype: d.Type(), Result: d.Result, Example: d.Example, Call: d.Call, Fields: wireFields(d.Fields), Text: d.Text,
		}
		for _, a := range d.Args {
			w.Args = append(w.Args, &wire.Argument{
				Name: a.Name, Kind: a.Kind.String(), Doc: a.Doc,
				Optional: a.Default != nil, Range: a.Range(), Default: a.DefaultText(), Added: a.Added,
			})
		}
		all = append(all, w)
	}
	out := page(q, q.Id, slices.Values(all), (*wire.LibraryFunction).GetId)
	if len(out) == 0 {
		return mapierr.New(mapierr.NotSupported, "library %s has no function with number %s%d", libs[q.Library].Name, beyond(q), q.Id)
	}
	resp.Result = &wire.Response_LibraryFunctions{LibraryFunctions: &wire.LibraryFunctions{Functions: out}}
	return nil
}

func wireFields(fields []flib.Field) (out []*wire.Field) {
	for _, f := range fields {
		out = append(out, &wire.Field{
			Name: f.Name, Kind: string(f.Kind), Unit: f.Unit, When: f.When,
			Optional: f.Optional, Hidden: f.Hidden, Words: f.Words, Rows: wireFields(f.Rows),
		})
	}
	return out
}

func (c *client) flows(q *wire.FlowQuery, resp *wire.Response) error {
	found := func(yield func(*wire.Flow) bool) {
		if f, ok := c.session.Flow(q.Fd); ok {
			yield(wireFlow(f))
		}
	}
	if q.Next {
		found = func(yield func(*wire.Flow) bool) {
			for f := range c.session.FlowsAfter(q.Fd, limit(q)) {
				if !yield(wireFlow(f)) {
					return
				}
			}
		}
	}
	out := page(q, q.Fd, found, (*wire.Flow).GetFd)
	if len(out) == 0 {
		return c.noFlow(q)
	}
	resp.Result = &wire.Response_Flows{Flows: &wire.Flows{Flows: out}}
	return nil
}

// noFlow is the error for a query that finds no flow: as in the original, 6149
// at the end of a list, which follows an existing flow, and 6145 for an unknown
// flow.
func (c *client) noFlow(q *wire.FlowQuery) error {
	code := mapierr.InvalidFlow
	if q.Next && (q.Fd <= 0 || c.session.Sees(q.Fd)) {
		code = mapierr.FlowInfo
	}
	return mapierr.New(code, "no flow with number %s%d", beyond(q), q.Fd)
}

func wireFlow(f engine.FlowInfo) *wire.Flow {
	w := &wire.Flow{
		Uid: f.UID, Pid: f.PID, Program: clean(f.Program, maxName),
		Fd: f.FD, Devid: f.DeviceID, Device: clean(f.Device, maxName),
		Functions: uint32(f.Functions), Start: seconds(f.Start), End: seconds(f.End), Status: int32(f.Status),
	}
	if f.Status != engine.FlowInit {
		w.Books = wireBooks(&f.Books)
	}
	if f.Err != nil {
		w.Error = wireError(f.Err)
	}
	return w
}

func (c *client) functions(q *wire.FunctionQuery, resp *wire.Response) error {
	after := q.Fid
	if !q.Next {
		after = max(q.Fid, 1) - 1
	}
	infos, err := c.session.FunctionsAfter(q.Fd, after, limit(q))
	if err != nil {
		return mapierr.New(mapierr.NotInitialized, "%v", err) // same code as the original
	}
	var found []*wire.Function
	for _, f := range infos {
		found = append(found, wireFunction(f))
	}
	out := page(q, q.Fid, slices.Values(found), (*wire.Function).GetFid)
	if len(out) == 0 {
		return mapierr.New(mapierr.FunctionInfo, "flow %d has no function with number %s%d", q.Fd, beyond(q), q.Fid)
	}
	resp.Result = &wire.Response_Functions{Functions: &wire.Functions{Functions: out}}
	return nil
}

func wireFunction(f engine.FunctionInfo) *wire.Function {
	w := &wire.Function{
		Fid: f.FID, Name: f.Name, Library: f.Library, Devtype: f.DevType,
		Packets: f.Packets, Passed: f.Passed, ResultSize: int32(f.ResultSize),
	}
	for _, arg := range f.Args {
		w.Args = append(w.Args, clean(arg, maxName))
	}
	if f.Books != nil {
		w.Books = wireBooks(f.Books)
	}
	return w
}

// beyond is the part of an error text that depends on the kind of query.
func beyond(q query) string {
	if q.GetNext() {
		return "above "
	}
	return ""
}

// seconds returns Unix seconds, 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
