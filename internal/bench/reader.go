package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"gomapi/mapi"
)

// readerCommand as first argument makes this program a reader instead: a monitoring
// program that takes the packets of a flow in a loop and counts them. Its further
// arguments are socket, device, task.
const readerCommand = "reader"

// read does a task: "p PERIOD", take every PERIOD-th packet, or "s STRING", take those that
// contain the string. It speaks as one of the programs does, and ends with a signal.
func read(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%s: %d arguments, want SOCKET DEVICE TASK", readerCommand, len(args))
	}
	return catch(func() {
		ctx := context.Background()
		kind, text, _ := strings.Cut(args[2], " ")
		first := call{"STR_SEARCH", text, 0, 0}
		if kind == "p" {
			first = call{"SAMPLE", must(strconv.Atoi(text)), mapi.SamplePeriodic}
		}
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGUSR1)
		f := newFlow(ctx, &mapi.Client{Socket: args[0]}, args[1], first, call{"TO_BUFFER"})
		fmt.Fprintln(os.Stderr, "listening on", args[1])
		var got atomic.Uint64
		go func() { // as long as the program
			for range asked {
				n := got.Load()
				fmt.Fprintf(os.Stderr, "%d packets captured, %d packets counted, %d packets dropped\n",
					n, n, must(f.buffer.Lost()))
			}
		}()
		for _, err := range f.buffer.Packets(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			got.Add(1)
		}
	})
}
