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

// Apply adds a function behind those that the flow has. Names and arguments
// are in Libraries and, for people, "mapi info functions"; a name may be
// "library:NAME". Arguments are Go integers for numbers and strings or []byte
// for text; text that is a number, as the interval of BUCKET may be, can be an integer,
// too. A time.Duration is the length of a time, whatever its unit: the interval of BUCKET,
// the timeout of THRESHOLD; a time.Time is a moment, for STARTSTOP. Where a function refers to others, a *Function stands for the numbers
// of its flow and its own, []*Function for a list, []*Flow for the flows of SYNC.
// A file to write is a path, which is created (mode 0600) or emptied with the
// program's own rights, or an *os.File, whose content stays. A call that fails leaves
// such a file as it was, and makes none. Errors: 6145 the flow is closed, 7006 it is
// connected or the function refuses, 6144 no such function, 7001 to 7005 and 7011
// that argument is missing or bad (7000: an argument beyond), 6155 a file cannot be
// written, or an offline device of this client reads it, and those of the function,
// such as 1025 for a filter that does not compile.
func (f *Flow) Apply(ctx context.Context, name string, args ...any) (*Function, error) {
	fn, err := f.apply(ctx, name, args)
	f.note(name, err)
	return fn, f.client.fail(err, "apply %s to flow %d", name, f.fd)
}

// note takes down whether a function was applied, for connect.
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
		f.unsure.Store(true) // nothing must be written over the old content
		return nil, err
	}
	return f.applied(name, args, resp)
}

// applied makes a Function of the daemon's answer.
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
			return nil, mapierr.Wrap(ErrNoResult, "place of the result", err)
		}
	}
	return fn, nil
}

// FID is the number of the function.
func (fn *Function) FID() int { return fn.fid }

// Name is the name under which the function was applied.
func (fn *Function) Name() string { return fn.name }

// Flow is the flow to which the function was applied.
func (fn *Function) Flow() *Flow { return fn.flow }

// A Result is a copy of a function's result at one moment.
type Result struct {
	Res []byte // the value; package result has the types and layouts
	TS  uint64 // when it was read, microseconds since 1970-01-01 UTC
}

// Time is TS as a time.Time.
func (r Result) Time() time.Time { return time.UnixMicro(int64(r.TS)) }

// Uint64 returns the first word of the result, such as a counter. A result of 4 bytes
// (HASH, TO_FILE) is an int32: what is below 0 becomes the 64-bit number that Go makes
// of it, 1<<64-1 for -1; Int64 and Function.Uint64 tell it apart. Results of other sizes
// below a word, which no function has, give 0.
func (r Result) Uint64() uint64 { return uint64(r.Int64()) }

// Int64 is Uint64 as a signed number: the state of TO_FILE, a GAP that goes back, a
// difference of BINOP.
func (r Result) Int64() int64 {
	if n, ok := result.ParseCounter(r.Res); ok {
		return int64(n)
	}
	if len(r.Res) == narrow {
		return int64(int32(binary.NativeEndian.Uint32(r.Res)))
	}
	return 0
}

// narrow is the size of an int32, as results have it that the original has as int.
const narrow = 4

// Read copies the result. It sends no message and makes no system call, and it
// never sees a half-written value. Where the result is a series, it waits for the
// next entry, as ReadNext. Errors: 6145 the flow is closed, 6143 it is
// not connected, 6146 the function has no result, 5123 the daemon is gone.
func (fn *Function) Read() (Result, error) { return fn.ReadNext(context.Background()) }

func (fn *Function) readNow() (Result, error) {
	if err := fn.readable(); err != nil {
		return Result{}, fn.fail(err)
	}
	r := Result{Res: make([]byte, fn.result.Size())}
	if err := fn.result.Read(r.Res); err != nil {
		return Result{}, fn.fail(mapierr.Wrap(ErrReaderSem, "result", err))
	}
	if fn.flow.closed.Load() { // what was read may be another's
		return Result{}, fn.fail(errClosed(fn.flow.fd))
	}
	r.TS = uint64(time.Now().UnixMicro())
	return r, nil
}

// Uint64 returns a result of one number, such as a counter, of 8 bytes or of 4, which
// are an int32. It does not allocate and takes a few nanoseconds. Errors are those of
// Read; 6146 also stands for a result of another size, and for an int32 below 0, such
// as the -1 of a TO_FILE that has failed.
func (fn *Function) Uint64() (uint64, error) {
	n, err := fn.Int64()
	if err == nil && n < 0 && fn.result.Size() == narrow {
		return 0, fn.fail(mapierr.New(ErrNoResult, "the result of %s is %d, below 0: use Int64", fn.name, n))
	}
	return uint64(n), err
}

// Int64 is Uint64 as a signed number, also below 0.
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
	if fn.flow.closed.Load() { // what was read may be another's
		return 0, fn.fail(errClosed(fn.flow.fd))
	}
	return n, nil
}

// readable reports why there is nothing to read, nil when there is.
func (fn *Function) readable() error {
	if err := fn.flow.link.err(); err != nil {
		return err
	}
	switch fn.flow.state() {
	case FlowInit:
		return fn.flow.errNotConnected()
	case FlowClosed:
		return errClosed(fn.flow.fd)
	}
	switch {
	case fn.isSeries():
		return mapierr.New(ErrNoResult, "the result of %s is a series: use ReadNext", fn.name)
	case fn.result == nil:
		return mapierr.New(ErrNoResult, "%s has no result", fn.name)
	}
	return nil
}

func (fn *Function) fail(err error) error {
	return fn.flow.client.fail(err, "read function %d (%s) of flow %d", fn.fid, fn.name, fn.flow.fd)
}
