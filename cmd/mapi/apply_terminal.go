package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// terminals are the terminals among the files that functions write. The daemon writes to no
// terminal, so it writes to a pipe, from which the tool copies.
type terminals struct{ copying sync.WaitGroup }

// replace puts pipes in the place of terminals among the arguments of f. The caller closes them
// when the daemon has them.
func (t *terminals) replace(f *applied) (pipes []*os.File, err error) {
	for i := range f.args {
		arg := &f.args[i]
		if !arg.file || modeOf(arg.text)&os.ModeCharDevice == 0 {
			continue
		}
		out, err := os.OpenFile(arg.text, os.O_WRONLY|unix.O_NOCTTY, 0)
		if err != nil {
			return pipes, fmt.Errorf("function %d: %w", f.number, err)
		}
		if !isTerminal(out) {
			out.Close()
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			out.Close()
			return pipes, fmt.Errorf("create a pipe to %s: %w", arg.text, err)
		}
		arg.text = pathOf(w)
		pipes = append(pipes, w)
		t.copying.Go(func() {
			defer out.Close()
			defer r.Close()
			_, _ = io.Copy(out, r) // after an error the daemon finds that nobody reads, and its books say so
		})
	}
	return pipes, nil
}

// wait waits until everything is on the terminals, after the flow was closed.
func (t *terminals) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		t.copying.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// closeAll closes files that somebody else has now.
func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
