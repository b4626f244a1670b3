package acceptance

import "testing"

func TestBinopOnCapture(t *testing.T) {
	client := start(t).client()
	r := newReading(t, client, "mapi-tracefile.pcap")
	// Packets that are not TCP, as counted by a separate flow.
	tcp, err := client.CreateFlow(t.Context(), r.device.Name())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tcp.Apply(t.Context(), "BPF_FILTER", "tcp"); err != nil {
		t.Fatal(err)
	}
	matched, err := tcp.Apply(t.Context(), "PKT_COUNTER")
	if err != nil {
		t.Fatal(err)
	}
	packets, bytes := r.apply("PKT_COUNTER"), r.apply("BYTE_COUNTER")
	sum := r.apply("BINOP", 0, packets, bytes)
	difference := r.apply("BINOP", 1, packets, matched)
	nested := r.apply("BINOP", 1, sum, bytes)
	if err := tcp.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.run()
	for _, c := range []struct {
		what string
		got  func() (uint64, error)
		want uint64
	}{{"packets + bytes", sum.Uint64, 893 + 283464}, {"packets - tcp", difference.Uint64, 893 - 596}, {"sum - bytes", nested.Uint64, 893}} {
		if n, err := c.got(); err != nil || n != c.want {
			t.Errorf("%s: %d, %v; want %d", c.what, n, err, c.want)
		}
	}
}
