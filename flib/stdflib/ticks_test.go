package stdflib

import "testing"

func TestParseTicks(t *testing.T) {
	for text, want := range map[string]uint64{
		"1s": 4294967296, "0.5s": 2147483648, "1.2s": 5153960755, "0.1s": 429496730, "100ms": 429496730,
		"1ms": 4294967, "1.2ms": 5153961, "1us": 4295, "1m": 257698037760, "16777217": 16777217, "1514": 1514,
		"+10s": 42949672960, "+0s": 0, "0": 0, ".5s": 2147483648, "1.5": 2, "9223372036854775807": 9223372036854775807,
		"2147483647s": 2147483647 << 32,
	} {
		if got, err := parseTicks(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "s", "-1s", "1S", "1 s", " 1s", "1s ", "1h", "nan", "inf", "1e3", "0x10", "1.", "1..2s", "++1s", "1/2s", "1_0",
		"9223372036854775808", "2147483648s", "100000000000000000000000s", "1s\n", "١s",
	} {
		if got, err := parseTicks(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestPeriod(t *testing.T) {
	p := period{ticks: 10}
	for _, c := range []struct{ ts, n, end uint64 }{
		{100, 0, 0}, // starts a period
		{110, 0, 0}, // the end belongs to the period
		{90, 0, 0},  // so do older times
		{111, 1, 110},
		{120, 0, 0},
		{151, 4, 120}, // ends the period after 110, and three without packets
		{20, 0, 0},
		{160, 0, 0},
		{161, 1, 160},
	} {
		if n, end := p.ended(c.ts); n != c.n || end != c.end {
			t.Errorf("packet at %d ends %d periods, the first at %d; want %d, %d", c.ts, n, end, c.n, c.end)
		}
	}
}
