package mapi

import (
	"context"
	"encoding/binary"
	"time"

	"gomapi/internal/mapierr"
	"gomapi/internal/shm"
	"gomapi/internal/wire"
	"gomapi/mapi/result"
)

// A Function is a function applied to a flow.
type Function struct {
	flow   *Flow
	name   string
	fid    int
	result *shm.Reader // nil: the function has no result
	buffer *buffer     // nil: the function has no packet buffer
}

// Apply adds a function after the existing functions of the flow. Libraries and
// "mapi info functions" list names and arguments; a name may be "library:NAME".
//
// Arguments are Go integers for numbers, and strings or []byte for text. A number
// that a function takes as text, such as the interval of BUCKET, may be an
// integer too. A time.Duration is a duration, whatever the unit of the argument:
// the interval of BUCKET, the timeout of THRESHOLD. A time.Time is a point in
// time, for STARTSTOP. If a function refers to others, a *Function stands for the
// numbers of its flow and itself, []*Function for a list, []*Flow for the flows
// of SYNC. An output file is a path, which is created (mode 0600) or truncated
// with the program's own rights, or an *os.File, whose content is kept. A
// failed call leaves an existing file unchanged and creates none.
//
// Errors: 6145 the flow is closed, 7006 it is connected or the function rejects
// the call, 6144 no such function, 7001 to 7005 and 7011 that argument is
// missing or invalid (7000: an argument after these), 6155 a file cannot be
// written, or an offline device of this client reads it, and errors of the
// function, such as 1025 for a filter that does not compile.
func (f *Flow) Apply(ctx context.Context, name string, args ...any) (*Function, error) {
	fn, err := f.apply(ctx, name, args)
	f.note(name, err)
	return fn, f.client.fail(err, "apply %s to flow %d", name, f.fd)
}

// note records whether a function was applied, for connect.
func (f *Flow) note(name string, err error) {
	f.link.mu.Lock()
	defer f.link.mu.Unlock()
	f.unhidden.Note(name, err)
}

func (f *Flow) apply(ctx context.Context, name string, args []any) (*Function, error) {
	if f.closed.Load() {
		return nil, errClosed(f.fd)
	}
	if name == "" {
		return nil, errNoFunction
	}
	req := &wire.ApplyFunction{Fd: int32(f.fd), Name: text(name)}
	packed, err := f.link.pack(ctx, name, args)
	if err != nil {
		return nil, err
	}
	req.Args = packed.values
	resp, err := f.change(ctx, &wire.Request{Call: &wire.Request_ApplyFunction{ApplyFunction: req}}, packed.files...)
	if err != nil {
		packed.discard()
		return nil, err
	}
	if err := packed.accept(); err != nil {
		wire.CloseAll(resp.files)
		f.unsure.Store(true) // nothing may be written to a file that still has its old content
		return nil, err
	}
	return f.applied(name, args, resp)
}

// applied creates a Function from the daemon's response.
func (f *Flow) applied(name string, args []any, resp response) (_ *Function, err error) {
	applied := resp.GetFunctionApplied()
	if applied == nil || applied.HasRing == (len(resp.files) == 0) {
		wire.CloseAll(resp.files)
		return nil, errAnswer
	}
	fn := &Function{flow: f, name: name, fid: int(applied.Fid)}
	if applied.HasRing {
		if err := fn.openBuffer(args, int(applied.Entry), resp.files); err != nil {
			return nil, err
		}
	}
	if applied.HasResult {
		if fn.result, err = f.link.view.Reader(applied.Offset, int(applied.Size)); err != nil {
			return nil, mapierr.Wrap(ErrNoResult, "memory of the result", err)
		}
	}
	return fn, nil
}

// FID is the number of the function.
func (fn *Function) FID() int { return fn.fid }

// Name is the name with which the function was applied.
func (fn *Function) Name() string { return fn.name }

// Flow is the flow to which the function was applied.
func (fn *Function) Flow() *Flow { return fn.flow }

// A Result is a copy of a function's result at one point in time.
type Result struct {
	// Res is the value; package result has the types and layouts. The record that ReadNext
	// and Results return is in memory that the daemon shares with the program, read-only (a
	// write faults), and valid until the next read of the function or the close of its flow.
	// Clone copies it. All other values are copies.
	Res []byte
	TS  uint64 // time of the read, microseconds since 1970-01-01 UTC

	// Of a record that ReadNext and Results return, otherwise 0.
	Kind  uint16 // what Res is; the function defines it
	Stamp uint64 // packet time, 2^-32 seconds since 1970-01-01 UTC
}

// Clone returns a copy of the result that owns its bytes.
func (r Result) Clone() Result {
	r.Res = append([]byte(nil), r.Res...)
	return r
}

// Time is TS as a time.Time.
func (r Result) Time() time.Time { return time.UnixMicro(int64(r.TS)) }

// Uint64 returns the first word of the result, such as a counter. A result of 4
// bytes (HASH, TO_FILE) is an int32: Go converts a negative value to a 64-bit
// number, -1 to 1<<64-1; use Int64 or Function.Uint64 to distinguish these.
// Results of other sizes below a word, which no function has, give 0.
func (r Result) Uint64() uint64 { return uint64(r.Int64()) }

// Int64 is Uint64 as a signed number, for the state of TO_FILE, a GAP that goes
// back, or a difference of BINOP.
func (r Result) Int64() int64 {
	if n, ok := result.ParseCounter(r.Res); ok {
		return int64(n)
	}
	if len(r.Res) == narrow {
		return int64(int32(binary.NativeEndian.Uint32(r.Res)))
	}
	return 0
}

// narrow is the size of an int32, for results that are an int in the original.
const narrow = 4

// Read copies the result. It sends no message, makes no system call, and never
// returns a partly written value. For a series it waits for the next entry,
// like ReadNext. For records it takes those that are there, without waiting, and
// returns them as one table (result.ParseRecords), which is empty if there are none;
// io.EOF when the device has ended and all were taken. Errors: 6145 the flow is closed, 6143 it is not connected,
// 6146 the function has no result, 5123 the daemon is gone.
func (fn *Function) Read() (Result, error) {
	if fn.hasRecords() {
		return fn.readTable()
	}
	return fn.ReadNext(context.Background())
}

func (fn *Function) readNow() (Result, error) {
	if err := fn.readable(); err != nil {
		return Result{}, fn.fail(err)
	}
	r := Result{Res: make([]byte, fn.result.Size())}
	if err := fn.result.Read(r.Res); err != nil {
		return Result{}, fn.fail(mapierr.Wrap(ErrReaderSem, "result", err))
	}
	if fn.flow.state() == FlowClosed { // the data may belong to another flow now, or be gone
		return Result{}, fn.fail(fn.flow.errEnded())
	}
	r.TS = uint64(time.Now().UnixMicro())
	return r, nil
}

// Uint64 returns a result that is one number, such as a counter, of 8 bytes, or
// of 4 bytes (an int32). It does not allocate and takes a few nanoseconds. It
// has the errors of Read; 6146 also for a result of another size, and for a
// negative int32, such as the -1 of a failed TO_FILE.
func (fn *Function) Uint64() (uint64, error) {
	n, err := fn.Int64()
	if err == nil && n < 0 && fn.result.Size() == narrow {
		return 0, fn.fail(mapierr.New(ErrNoResult, "the result of %s is %d, below 0: use Int64", fn.name, n))
	}
	return uint64(n), err
}

// Int64 is Uint64 as a signed number, which may be negative.
func (fn *Function) Int64() (int64, error) {
	if err := fn.readable(); err != nil {
		return 0, fn.fail(err)
	}
	n := int64(fn.result.Uint64())
	switch fn.result.Size() {
	case result.CounterSize:
	case narrow:
		n = int64(int32(n))
	default:
		return 0, fn.fail(mapierr.New(ErrNoResult, "the result of %s is %d bytes, not one number: use Read", fn.name, fn.result.Size()))
	}
	if fn.flow.state() == FlowClosed { // the data may belong to another flow now, or be gone
		return 0, fn.fail(fn.flow.errEnded())
	}
	return n, nil
}

// readable returns why there is nothing to read, nil if there is.
func (fn *Function) readable() error {
	if err := fn.flow.link.err(); err != nil {
		return err
	}
	switch fn.flow.state() {
	case FlowInit:
		return fn.flow.errNotConnected()
	case FlowClosed:
		return fn.flow.errEnded()
	}
	switch {
	case fn.inOrder():
		return mapierr.New(ErrNoResult, "the result of %s is read in order: use ReadNext", fn.name)
	case fn.result == nil:
		return mapierr.New(ErrNoResult, "%s has no result", fn.name)
	}
	return nil
}

func (fn *Function) fail(err error) error {
	return fn.flow.client.fail(err, "read function %d (%s) of flow %d", fn.fid, fn.name, fn.flow.fd)
}
