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
	c := chart{
		title: "a < b & c", x: axis{label: "x", log: true}, y: axis{label: "y"},
		series: []series{
			{name: "one", x: []float64{1, 10, 60000}, y: []float64{3, 50, 99}},
			{name: "two", dashed: true, x: []float64{0, 100}, y: []float64{1, 7}},
			{name: "none"},
		},
	}
	svg := c.svg()
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
	if found["svg"] != 1 || found["circle"] != 5 || found["polyline"] != 3 {
		t.Errorf("elements %v, want 1 svg, 5 circles, 3 polylines", found)
	}
	for _, want := range []string{"a &lt; b &amp; c", ">100,000<", ">one<"} {
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
		axis   axis
		values []float64
		v, at  float64
		ticks  int
	}{
		{axis{}, []float64{7}, 25, 25, 6},
		{axis{log: true}, []float64{1, 10000}, 100, 50, 5},
		{axis{log: true}, []float64{3, 60}, 10, 50, 3},
		{axis{log: true}, []float64{1}, 1, 0, 2},
		{axis{log: true}, []float64{0}, 0, 0, 2},
		{axis{log: true}, nil, 1e10, 100, 2},
		{axis{}, nil, 0, 0, 6},
	} {
		s := newScale(c.axis, c.values, 0, 100)
		if at := s.at(c.v); math.Abs(at-c.at) > 1e-9 {
			t.Errorf("%+v %v: %g is at %g, want %g", c.axis, c.values, c.v, at, c.at)
		}
		if len(s.ticks) != c.ticks {
			t.Errorf("%+v %v: ticks %v, want %d", c.axis, c.values, s.ticks, c.ticks)
		}
	}
}
