package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"gomapi/mapi"
)

// readerCommand as first argument makes this program a reader instead: a monitoring
// program that takes the packets of a flow in a loop and counts them. Its further
// arguments are socket, device, task.
const readerCommand = "reader"

// read does a task: "p PERIOD", take every PERIOD-th packet, or "s STRING", take those that
// contain the string. It prints "ready" when the flow is connected, and for each line of
// its input how many packets it has got and how many it has lost. It ends with its input.
func read(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%s: %d arguments, want SOCKET DEVICE TASK", readerCommand, len(args))
	}
	client := &mapi.Client{Socket: args[0]}
	defer client.Close()
	return catch(func() {
		ctx, cancel := context.WithCancel(context.Background())
		kind, text, _ := strings.Cut(args[2], " ")
		first := call{"STR_SEARCH", text, 0, 0}
		if kind == "p" {
			first = call{"SAMPLE", must(strconv.Atoi(text)), mapi.SamplePeriodic}
		}
		packets := newFlow(ctx, client, args[1], first, call{"TO_BUFFER"}).buffer
		var got atomic.Uint64
		ended := make(chan struct{})
		go func() { // ends with ctx
			defer close(ended)
			for _, err := range packets.Packets(ctx) {
				if err != nil && ctx.Err() == nil {
					log.Fatal(err)
				}
				got.Add(1)
			}
		}()
		fmt.Println("ready")
		for questions := bufio.NewScanner(os.Stdin); questions.Scan(); {
			fmt.Println(got.Load(), must(packets.Lost()))
		}
		cancel()
		<-ended
	})
}
