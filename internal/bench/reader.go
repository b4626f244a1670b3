package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"gomapi/mapi"
)

// readerCommand as first argument makes this program a reader instead: a monitoring
// program that takes the packets of a flow in a loop and counts them. Its further
// arguments are socket, device, task.
const readerCommand = "reader"

// read takes the packets of a task. It speaks as one of the programs does, and ends with a signal.
func read(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%s: %d arguments, want SOCKET DEVICE TASK", readerCommand, len(args))
	}
	return catch(func() {
		ctx := context.Background()
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGUSR1)
		buffer := newBuffer(ctx, &mapi.Client{Socket: args[0]}, args[1], args[2])
		fmt.Fprintln(os.Stderr, "listening on", args[1])
		var got atomic.Uint64
		go func() { // as long as the program
			for range asked {
				n := got.Load()
				fmt.Fprintf(os.Stderr, "%d packets captured, %d packets counted, %d packets dropped\n",
					n, n, must(buffer.Lost()))
			}
		}()
		for _, err := range buffer.Packets(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			got.Add(1)
		}
	})
}
