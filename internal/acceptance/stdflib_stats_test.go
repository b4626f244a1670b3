package acceptance

import (
	"testing"

	"gomapi/mapi/result"
)

const packetSize = 1 // PKT_SIZE

func TestStatsGoldens(t *testing.T) {
	client := start(t).client()
	for _, c := range []struct {
		file, interval    string
		count, sum, sum2  uint64
		smallest, largest float64
	}{
		{"mapi-tracefile.pcap", "0", 893, 283464, 309175572, 42, 1514},
		{"mapi-tracefile.pcap", "1", 892, 283404, 309171972, 42, 1514},
		{"mapi-www.pcap", "0", 10, 4072, 4901302, 54, 1486},
	} {
		r := newReading(t, client, c.file)
		size := r.apply("PKTINFO", packetSize)
		stats := r.apply("STATS", size, c.interval)
		r.run()
		raw, err := stats.Read()
		if err != nil {
			t.Fatal(err)
		}
		got, ok := result.ParseStats(raw.Res)
		sum, ok1 := got.Sum.Uint64()
		sum2, ok2 := got.Sum2.Uint64()
		if !ok || !ok1 || !ok2 || got.Count != c.count || sum != c.sum || sum2 != c.sum2 || got.Min != c.smallest || got.Max != c.largest {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// TestStatsOfPeriodsOnCapture computes statistics of packets per period. STATS
// comes after the counter, so its periods include the packet that ends them.
func TestStatsOfPeriodsOnCapture(t *testing.T) {
	r := newReading(t, start(t).client(), "mapi-tracefile.pcap")
	packets := r.apply("PKT_COUNTER")
	stats := r.apply("STATS", packets, "5s")
	r.run()
	raw, err := stats.Read()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := result.ParseStats(raw.Res)
	left, err := packets.Uint64()
	sum, ok := got.Sum.Uint64()
	// Like the original's BUCKET: 23 periods, 19 packets remain.
	if err != nil || got.Count != 23 || left != 19 || !ok || sum != 893-19 {
		t.Errorf("%+v, %d packets left, %v", got, left, err)
	}
}
