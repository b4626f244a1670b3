package main

import (
	"context"
	"errors"
	"io"
	"os"

	"gomapi/mapi"
)

// pieces are the parts of a capture that comes over a pipe, each with a flow of its own:
// packets are shown as they come.
type pieces struct {
	*stream
	client *mapi.Client
}

// openFile makes a flow on the file to read, or on the first piece of what comes over a
// pipe.
func (d *dumping) openFile(ctx context.Context, client *mapi.Client) (err error) {
	if !isStream(d.file) {
		d.flow, err = client.CreateOfflineFlow(ctx, d.file, mapi.FormatPCAP)
		return err
	}
	s, err := openStream(d.file)
	if err != nil {
		return err
	}
	d.pieces, d.pipe = &pieces{s, client}, d.file
	piece, err := s.piece(ctx)
	if err != nil {
		return err
	}
	return d.openPiece(ctx, piece)
}

// openPiece makes a flow on a piece, which it closes.
func (d *dumping) openPiece(ctx context.Context, piece *os.File) (err error) {
	defer piece.Close()
	d.flow, err = d.pieces.client.CreateOfflineFlow(ctx, pathOf(piece), mapi.FormatPCAP)
	return err
}

// take hands packets to the sink until it has enough; the error says why before.
func (d *dumping) take(ctx context.Context) error {
	for {
		err := d.takeFlow(ctx)
		if d.pieces == nil || !errors.Is(err, io.EOF) {
			return err
		}
		if err := d.nextPiece(ctx); err != nil {
			return err
		}
	}
}

// nextPiece goes on with what comes next, and waits for it. The error is io.EOF when
// nothing does.
func (d *dumping) nextPiece(ctx context.Context) error {
	if err := d.sink.flush(); err != nil {
		return err
	}
	piece, err := d.pieces.piece(ctx)
	if err != nil {
		return err
	}
	if err := d.flow.Wait(ctx); err != nil {
		piece.Close()
		return err
	}
	if err := d.flow.Close(ctx); err != nil {
		piece.Close()
		return err
	}
	if err := d.openPiece(ctx, piece); err != nil {
		return err
	}
	if err := d.applyFunctions(ctx); err != nil {
		return err
	}
	return d.flow.Connect(ctx)
}
