package main

import (
	"context"
	"errors"
	"io"
	"os"

	"gomapi/mapi"
)

// pieces are the parts of a capture that comes over a pipe. Each has its own
// flow, so packets are shown as they arrive.
type pieces struct {
	*stream
	client *mapi.Client
}

// openFile creates a flow on the input file, or on the first piece of a pipe.
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

// openPiece creates a flow on a piece and closes the file of the piece.
func (d *dumping) openPiece(ctx context.Context, piece *os.File) (err error) {
	defer piece.Close()
	d.flow, err = d.pieces.client.CreateOfflineFlow(ctx, pathOf(piece), mapi.FormatPCAP)
	return err
}

// take passes packets to the sink until the sink has enough. The error gives
// the reason if packets end before.
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

// nextPiece waits for the next piece and opens it. It returns io.EOF at the end
// of the pipe.
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
