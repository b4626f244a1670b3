package stdflib

import (
	"context"
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/mapierr"
	"gomapi/internal/outfile"
	"gomapi/internal/spool"
)

// Limits: bytes that wait for a file of rows, and bytes of its header.
const (
	rowQueueBytes = 1 << 20
	rowQueueRows  = 128 << 10
	maxHeader     = 64 << 10
)

var resToFile = flib.Def{
	Name: "RES2FILE",
	Description: "Writes results of other functions into a text file, one row for each period of packet time, " +
		"for each packet, or when the flow is closed. Periodic rows do not include the packet that ends the period. " +
		"If the file is too slow, rows of a live device are lost and counted; capture files wait. " +
		"No row is written while one of the functions has no value. All packets go on to the next function. " +
		"A time stamp far in the future ends all periods up to it: the next row comes only when packet time has reached it.",
	Args: []flib.Arg{
		{Name: "types", Kind: flib.String, Number: true, Doc: "how to write each function, separated by commas: " +
			"0 (mapi.R2FRaw) the number of bytes and the bytes, 1 (mapi.R2FULLStr) a number, " +
			"2 (mapi.R2FULLSec) a time in seconds, 3 (mapi.R2FStats) a result of STATS"},
		{Name: "functions", Kind: flib.Funcs, Doc: "functions whose results are written, in the order of the columns"},
		{Name: "header", Kind: flib.String, Doc: "first line of the file"},
		{Name: "file", Kind: flib.File, Doc: "path; the program creates or empties the file with its own rights; or a file that the program has opened, " +
			"which may be a pipe or a stream socket"},
		{Name: "interval", Kind: flib.String, Number: true, Doc: `"5s", a row for each period of packet time (units s, ms, us, m for minutes, ` +
			`2^-32 s without a unit), and a row of zeros for each period without packets ` +
			`(65536 of these at once and 64 more for each packet; the others are left out and counted); "0", a row for each packet; ` +
			`"-1", one row when the flow is closed`},
		{Name: "reset", Kind: flib.Int, Min: 0, Max: 1, Doc: "1: reset the functions after each periodic row, if they can be reset; 0: do not"},
	},
	Example: `flow.Apply(ctx, "RES2FILE", "1,1", []*mapi.Function{packets, bytes}, "packets bytes", "load.txt", "5s", 1)`,
	Call:    `RES2FILE("1,1", "@1,@2", "packets bytes", "load.txt", 5s, 1)`,
	New:     newRowWriter,
}

// rowWriter writes rows into a spool.
type rowWriter struct {
	row       row
	when      schedule
	period    period
	reset     bool
	head      []byte
	out       *spool.Writer
	started   bool
	connected bool
	emptyRows int // empty rows that may be written now

	passed  atomic.Uint64 // packets
	noValue atomic.Uint64 // rows that were omitted
	tooMany atomic.Uint64 // rows of zeros that were omitted
}

// A schedule says when rows are written.
type schedule int

const (
	eachPeriod schedule = iota
	eachPacket
	atClose
)

func newRowWriter(ctx context.Context, env flib.Env, args flib.Args) (_ flib.Function, err error) {
	w := &rowWriter{reset: args.Int(5) == 1, emptyRows: maxEmptyRows}
	if w.row, err = newRow(env, args.String(0), args.Targets(1)); err != nil {
		return nil, err
	}
	if len(args.String(2)) > maxHeader {
		return nil, mapierr.New(mapierr.InvalidArgument3,
			"RES2FILE: argument 3 (header) has %d bytes, at most %d are allowed", len(args.String(2)), maxHeader)
	}
	w.head = []byte(args.String(2) + "\n")
	word, ticks, err := parseInterval("RES2FILE", 5, args.String(4), "0", "-1")
	if err != nil {
		return nil, err
	}
	w.period.ticks = ticks
	switch word {
	case "0":
		w.when = eachPacket
	case "-1":
		w.when = atClose
	}
	o := spool.Options{Unit: "rows", Bytes: rowQueueBytes, Records: rowQueueRows}
	if !env.Live() {
		o.Park = env.Park
	}
	file := args.File(3)
	open, err := outfile.Open(ctx, file.File, rowQueueBytes+4*rowQueueRows)
	if err != nil {
		return nil, mapierr.Wrap(mapierr.CodeOf(err, mapierr.InvalidArgument4), "RES2FILE: argument 4 (file)", err)
	}
	w.out = spool.New(open, o)
	return w, nil
}

// Start opens the file for rows. If another function of the flow then fails to start, the
// file stays as it is, and the next Start continues.
func (w *rowWriter) Start() error {
	w.connected = true
	if !w.started {
		w.started = true
		w.out.Start(w.head)
	}
	return nil
}

func (w *rowWriter) Stop() { w.connected = false }

// Precedes implements flib.Predecessor.
func (w *rowWriter) Precedes() []*flib.Ref {
	if w.when != eachPeriod {
		return nil
	}
	return w.row.refs()
}

// End writes the rest, unless a row follows when the flow is closed.
func (w *rowWriter) End() []*flib.Packet {
	if w.when != atClose {
		w.out.Finish()
	}
	return nil
}

func (w *rowWriter) Interrupt() { w.out.Interrupt() }

// Close returns when everything is in the file, or 0.8 s after Interrupt.
func (w *rowWriter) Close() error {
	if w.when == atClose && w.connected {
		w.connected = false
		w.write()
		w.out.Flush()
	}
	if err := w.out.Close(); err != nil {
		return mapierr.Wrap(mapierr.File, "RES2FILE", err)
	}
	return nil
}

// Books implements flib.CounterSource. Every packet goes on; the notes count rows.
func (w *rowWriter) Books() (out, notes []books.Line) {
	c := w.out.Counts()
	return []books.Line{{Name: books.Passed, Value: w.passed.Load()}}, []books.Line{
		{Name: books.RowsWritten, Value: c.Written},
		{Name: books.RowsWaiting, Value: c.Waiting},
		{Name: books.RowsLostQueue, Value: c.Full},
		{Name: books.RowsNotWrittenError, Value: c.Failed},
		{Name: books.RowsNotWrittenClose, Value: c.Closed},
		{Name: books.RowsNoValue, Value: w.noValue.Load()},
		{Name: books.RowsTooMany, Value: w.tooMany.Load()},
		{Name: books.FileBytes, Value: c.Bytes},
	}
}
