package stdflib

import (
	"context"

	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/capfile"
	"gomapi/internal/mapierr"
	"gomapi/internal/outfile"
	"gomapi/mapi/result"
)

// Formats of capture files, with the original's numbers.
const (
	formatPCAP = 0 // MFF_PCAP
	formatRaw  = 1 // MFF_RAW: the adapter's own format. No adapter here has one, so it is pcap too
)

var toFile = flib.Def{
	Name: "TO_FILE",
	Description: "Writes the packets that reach it into a pcap file with microseconds. " +
		"If the file is too slow, packets of a live device are lost for the file and counted; capture files wait. " +
		"Only packets of the device's first link type are written. All packets go on to the next function.",
	Args: []flib.Arg{
		{Name: "format", Kind: flib.Int, Doc: "0 (MFF_PCAP); 1 (MFF_RAW) gives the same"},
		{Name: "file", Kind: flib.File, Doc: "path; the program creates or empties the file with its own rights; or a file that the program has opened, " +
			"which may be a pipe or a stream socket"},
		{Name: "limit", Kind: flib.Uint64, Default: uint64(0), Doc: "number of packets to write, 0 for all"},
	},
	Result: "int32: 11 while writing; 0 when the limit is reached or the device has ended, and everything is in the file; " +
		"-1 if writing has failed",
	Fields: []flib.Field{{Name: "state", Kind: flib.FieldInt32, Words: map[int64]string{
		int64(result.FileFailed): result.FileFailed.String(), int64(result.FileDone): result.FileDone.String(),
		int64(result.FileWriting): result.FileWriting.String(),
	}}},
	Example: `flow.Apply(ctx, "TO_FILE", mapi.FormatPCAP, "web.pcap", 1000)`,
	Call:    `TO_FILE(MFF_PCAP, "web.pcap", 1000)`,
	New:     newFileWriter,
}

// fileWriter passes packets to a capfile.Writer.
type fileWriter struct {
	writer  *capfile.Writer
	out     *flib.Result
	started bool
}

func newFileWriter(ctx context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	format, file := args.Int(0), args.File(1)
	if format != formatPCAP && format != formatRaw {
		return nil, mapierr.New(mapierr.CouldNotApplyFunction,
			"TO_FILE: format %d cannot be written: use 0 (MFF_PCAP)", format)
	}
	out, err := env.NewResult(result.FileStateSize)
	if err != nil {
		return nil, err
	}
	w := &fileWriter{out: out}
	o := capfile.Options{LinkType: env.LinkType(), Limit: args.Uint64(2), Ended: w.ended}
	if !env.Live() {
		o.Park = env.Park
	}
	open, err := outfile.Open(ctx, file.File, capfile.QueueMemory)
	if err != nil {
		return nil, mapierr.Wrap(mapierr.CodeOf(err, mapierr.File), "TO_FILE", err)
	}
	w.writer = capfile.New(open, o)
	return w, nil
}

// Start opens the file for packets. If another function of the flow then fails to start,
// the file stays as it is, and the next Start continues.
func (w *fileWriter) Start() error {
	if w.started {
		return nil
	}
	w.started = true
	w.set(result.FileWriting)
	w.writer.Start()
	return nil
}

func (w *fileWriter) Stop() {}

func (w *fileWriter) Process(in []*flib.Packet) []*flib.Packet {
	w.writer.Add(in)
	return in
}

// End lets the rest be written. The result shows when this is done.
func (w *fileWriter) End() []*flib.Packet {
	w.writer.Finish()
	return nil
}

func (w *fileWriter) Interrupt() { w.writer.Interrupt() }

// Close returns when everything is in the file, or 0.8 s after Interrupt.
func (w *fileWriter) Close() error {
	if err := w.writer.Close(); err != nil {
		return mapierr.Wrap(mapierr.File, "TO_FILE", err)
	}
	return nil
}

// ended is called by the goroutine that writes, once and before Close returns.
func (w *fileWriter) ended(err error) {
	if err != nil {
		w.set(result.FileFailed)
		return
	}
	w.set(result.FileDone)
}

func (w *fileWriter) set(s result.FileState) { w.out.Set(uint64(uint32(s))) }

// Books implements flib.CounterSource.
func (w *fileWriter) Books() (out, notes []books.Line) {
	c := w.writer.Counts()
	return []books.Line{
			{Name: books.Written, Value: c.Written},
			{Name: books.Waiting, Value: c.Waiting},
			{Name: books.LostQueue, Value: c.Full},
			{Name: books.NotWrittenError, Value: c.Failed},
			{Name: books.NotWrittenClose, Value: c.Closed},
			{Name: books.BeyondLimit, Value: c.Beyond},
			{Name: books.OtherLinkType, Value: c.OtherType},
		}, []books.Line{
			{Name: books.OfWhichCut, Value: c.Cut},
			{Name: books.FileBytes, Value: c.FileBytes},
		}
}
