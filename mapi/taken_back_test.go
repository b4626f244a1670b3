package mapi_test

import (
	"bytes"
	"context"
	"testing"

	"gomapi/internal/testenv"
	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

// TestZerosAreNoValues ends the connection of a program that reads, while the daemon goes
// on and takes back the memory of packets and results. No call takes zeros for a value.
func TestZerosAreNoValues(t *testing.T) {
	d := mapitest.Start(t)
	for range 20 {
		lost(t, d)
	}
}

func lost(t *testing.T, d *mapitest.Daemon) {
	t.Helper()
	dial, cut := severable(t, d.Socket())
	c := &mapi.Client{Dial: dial}
	defer c.Close()
	f, packets := buffered(t, c, "eth0")
	count, err := c.CreateFlow(t.Context(), "eth0")
	must(err)
	counter, err := count.Apply(t.Context(), "PKT_COUNTER")
	must(err)
	must(count.Connect(t.Context()))
	for range 1000 {
		must(d.Device("eth0").Send(mapitest.Packet{Data: packet(1)}, mapitest.Packet{Data: packet(2)}))
	}
	testenv.Until(t, "packets are counted", func() bool { v, err := counter.Uint64(); must(err); return v > 0 })
	done := make(chan error)
	go func() {
		v, err := counter.Uint64()
		for err == nil && v > 0 {
			v, err = counter.Uint64()
		}
		done <- err
	}()
	cut()
	var p *mapi.Packet
	for p, err = packets.Next(context.Background()); err == nil; p, err = packets.Next(context.Background()) {
		if p.TS == 0 || p.Wlen == 0 || len(p.Data) == 0 {
			t.Fatalf("a packet of time %d, %d bytes on the wire and %d captured", p.TS, p.Wlen, len(p.Data))
		}
	}
	wantCode(t, "packets", err, mapi.ErrCommSocket)
	wantCode(t, "counting, or a count of 0", <-done, mapi.ErrCommSocket)
	wantCode(t, "counter", second(counter.Read()), mapi.ErrCommSocket)
	if lost, err := packets.Lost(); lost != 0 || err != nil {
		t.Errorf("%d packets lost, %v", lost, err)
	}
	f.Status() // must not fault
}

// TestTakenPacketsEndWithTheirFlow: a program may keep the bytes of a packet. After the flow is
// closed they are 0, and reading them does not fault.
func TestTakenPacketsEndWithTheirFlow(t *testing.T) {
	f, fn := buffered(t, client(t), "net0")
	send(packet(1))
	p, err := fn.Next(t.Context())
	must(err)
	copied := p.Clone()
	if bytes.Equal(p.Data, make([]byte, len(p.Data))) {
		t.Fatal("the packet has no bytes")
	}
	must(f.Close(t.Context()))
	if !bytes.Equal(p.Data, make([]byte, len(p.Data))) {
		t.Error("the daemon has not taken the memory back")
	}
	if !bytes.Equal(copied.Data, packet(1)) {
		t.Error("the copy has changed")
	}
	if lost, err := fn.Lost(); lost != 0 || err != nil {
		t.Errorf("%d packets lost, %v", lost, err)
	}
}
