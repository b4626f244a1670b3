// Reader is a monitoring program as the benchmark needs many: it takes the
// packets of a flow in a loop and counts them. The flow has what passes SAMPLE, or
// STR_SEARCH.
//
//	reader -socket PATH -device NAME [-period N] [-string TEXT]
//
// It prints "ready" when the flow is connected, and for each line of its input how
// many packets it has got and how many it has lost. It ends with its input.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"sync/atomic"

	"gomapi/mapi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("reader: ")
	socket := flag.String("socket", "", "of mapid")
	device := flag.String("device", "", "to watch")
	period := flag.Int("period", 0, "take one packet in so many")
	text := flag.String("string", "", "take packets that contain it")
	flag.Parse()
	ctx, cancel := context.WithCancel(context.Background())
	client := &mapi.Client{Socket: *socket}
	defer client.Close()
	packets, err := watch(ctx, client, *device, *period, *text)
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
func watch(ctx context.Context, c *mapi.Client, device string, period int, text string) (*mapi.Function, error) {
	f, err := c.CreateFlow(ctx, device)
	if err != nil {
		return nil, err
	}
	if period > 0 {
		if _, err := f.Apply(ctx, "SAMPLE", period, mapi.SamplePeriodic); err != nil {
			return nil, err
		}
	}
	if text != "" {
		if _, err := f.Apply(ctx, "STR_SEARCH", text, 0, 0); err != nil {
			return nil, err
		}
	}
	packets, err := f.Apply(ctx, "TO_BUFFER")
	if err != nil {
		return nil, err
	}
	return packets, f.Connect(ctx)
}
