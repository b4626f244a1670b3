package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"
)

// TestSVG has the standard library read the picture, and counts what is in it.
func TestSVG(t *testing.T) {
	var table rows
	table.add(1, 5, "3.0 (1.0)", 7)
	table.add(10, 5, 50, "too slow")
	table.add(60000, 6, 99, "none")
	svg := newChart("a < b & c", axis{from: 100, to: 580}, axis{from: 400, to: 50, percent: true}, table, 2, 3, 1).svg()
	found := make(map[string]int)
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			found[e.Name.Local]++
		}
	}
	if found["svg"] != 1 || found["circle"] != 4 || found["polyline"] != 4 {
		t.Errorf("elements %v, want 1 svg, 4 circles, 4 polylines", found)
	}
	for _, want := range []string{"a &lt; b &amp; c", ">100,000<", ">mapid, 5 Mbit/s<"} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	if strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf") {
		t.Error("a place that is none is drawn")
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		values []float64
		v, at  float64
		ticks  int
	}{
		{[]float64{1, 10000}, 100, 50, 5},
		{[]float64{3, 60}, 10, 50, 3},
		{[]float64{1}, 1, 0, 2},
		{[]float64{0}, 0, 0, 2},
		{nil, 1e10, 100, 2},
	} {
		s := axis{from: 0, to: 100}.spanning(c.values)
		if at := s.At(c.v); math.Abs(at-c.at) > 1e-9 {
			t.Errorf("%v: %g is at %g, want %g", c.values, c.v, at, c.at)
		}
		if len(s.Ticks) != c.ticks {
			t.Errorf("%v: ticks %v, want %d", c.values, s.Ticks, c.ticks)
		}
	}
}
