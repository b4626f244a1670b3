// Reader is a monitoring program as the benchmark needs many: it takes the packets of a
// flow in a loop and counts them.
//
//	reader SOCKET DEVICE TASK
//
// A task is "p PERIOD", take every PERIOD-th packet, or "s STRING", take those that contain
// the string. It prints "ready" when the flow is connected, and for each line of its input
// how many packets it has got and how many it has lost. It ends with its input.
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

func main() {
	log.SetFlags(0)
	log.SetPrefix("reader: ")
	if len(os.Args) != 4 {
		log.Fatal("usage: reader SOCKET DEVICE TASK")
	}
	ctx, cancel := context.WithCancel(context.Background())
	client := &mapi.Client{Socket: os.Args[1]}
	defer client.Close()
	packets, err := connect(ctx, client, os.Args[2], os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
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
		lost, err := packets.Lost()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(got.Load(), lost)
	}
	cancel()
	<-ended
}

// connect connects a flow with a task and returns its TO_BUFFER.
func connect(ctx context.Context, c *mapi.Client, device, task string) (*mapi.Function, error) {
	f, err := c.CreateFlow(ctx, device)
	if err != nil {
		return nil, err
	}
	kind, text, _ := strings.Cut(task, " ")
	if kind == "p" {
		period, _ := strconv.Atoi(text) // 0 is refused
		_, err = f.Apply(ctx, "SAMPLE", period, mapi.SamplePeriodic)
	} else {
		_, err = f.Apply(ctx, "STR_SEARCH", text, 0, 0)
	}
	if err != nil {
		return nil, err
	}
	packets, err := f.Apply(ctx, "TO_BUFFER")
	if err != nil {
		return nil, err
	}
	return packets, f.Connect(ctx)
}
