package mapi

import (
	"context"
	"slices"
	"time"

	"gomapi/internal/funcname"
	"gomapi/internal/ring"
	"gomapi/mapi/result"
)

// Some functions pass records to the program: data of different kinds and sizes. Results
// and ReadNext return them one by one; the result is then a record in memory that the
// daemon shares with the program (see Result.Res). Read and ReadResults return the records
// that are there as one table, without waiting, and so take them. A record is read once.

// packers are the functions whose table of records is not a result.Records, by name.
var packers = map[string]func(result.Records) []byte{}

// record returns a record without copying it.
func record(p ring.Packet) Result {
	rec := p.Record()
	return Result{Res: rec.Data, TS: uint64(time.Now().UnixMicro()), Kind: rec.Kind, Stamp: rec.TS}
}

// readTable takes the records that are there and packs them.
func (fn *Function) readTable() (Result, error) {
	if err := fn.started(); err != nil {
		return Result{}, fn.failRead(err)
	}
	var table result.Records
	err := fn.buffer.TakeAll(func(p ring.Packet) bool {
		rec := p.Record()
		table.List = append(table.List, result.Record{TS: rec.TS, Kind: rec.Kind, Data: slices.Clone(rec.Data)})
		return true
	})
	if err == nil && len(table.List) == 0 {
		err = fn.flow.link.err()
	}
	if err != nil {
		return Result{}, fn.failRead(fn.bufferError(context.Background(), err))
	}
	table.Lost = fn.buffer.Lost()
	pack := packers[funcname.Plain(fn.name)]
	if pack == nil {
		pack = func(t result.Records) []byte { return t.Append(nil) }
	}
	return Result{Res: pack(table), TS: uint64(time.Now().UnixMicro())}, nil
}

func (fn *Function) hasRecords() bool { return fn.buffer != nil && fn.buffer.Records() }
