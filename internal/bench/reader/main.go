// Reader is a monitoring program as the benchmark needs many: it takes the packets of a
// flow with SAMPLE, or STR_SEARCH, and TO_BUFFER in a loop and counts them.
//
//	reader SOCKET DEVICE sample PERIOD
//	reader SOCKET DEVICE search TEXT
//
// It prints "ready" when the flow is connected, and for each line of its input how
// many packets it has got and how many it has lost. It ends with its input.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync/atomic"

	"gomapi/mapi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("reader: ")
	if len(os.Args) != 5 {
		log.Fatal("usage: reader SOCKET DEVICE sample PERIOD | search TEXT")
	}
	ctx, cancel := context.WithCancel(context.Background())
	client := &mapi.Client{Socket: os.Args[1]}
	defer client.Close()
	packets, err := watch(ctx, client, os.Args[2], os.Args[3], os.Args[4])
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

// watch connects a flow and returns its TO_BUFFER.
func watch(ctx context.Context, c *mapi.Client, device, task, arg string) (*mapi.Function, error) {
	f, err := c.CreateFlow(ctx, device)
	if err != nil {
		return nil, err
	}
	if task == "search" {
		_, err = f.Apply(ctx, "STR_SEARCH", arg, 0, 0)
	} else if period, e := strconv.Atoi(arg); e != nil {
		return nil, e
	} else {
		_, err = f.Apply(ctx, "SAMPLE", period, mapi.SamplePeriodic)
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
