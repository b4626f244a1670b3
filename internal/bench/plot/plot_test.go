package plot

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
	c := Chart{
		Title: "a < b & c", X: Axis{Label: "x", Log: true}, Y: Axis{Label: "y", Max: 100},
		Series: []Series{
			{Name: "one", Points: []Point{{1, 3}, {10, 50}, {60000, 99}}},
			{Name: "two", Dashed: true, Points: []Point{{0, 1}, {5, math.NaN()}, {100, 7}}}, // two of them have no place
			{Name: "none"},
		},
	}
	svg := c.SVG()
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
	if found["svg"] != 1 || found["circle"] != 4 || found["polyline"] != 3 {
		t.Errorf("elements %v, want 1 svg, 4 circles, 3 polylines", found)
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
		axis   Axis
		values []float64
		v, at  float64
		ticks  int
	}{
		{Axis{}, []float64{0, 10}, 5, 50, 11},
		{Axis{Max: 100}, []float64{7}, 25, 25, 11},
		{Axis{Log: true}, []float64{1, 10000}, 100, 50, 5},
		{Axis{Log: true}, []float64{3, 60}, 10, 50, 3},
		{Axis{Log: true}, []float64{1}, 1, 0, 2},
		{Axis{}, nil, 1, 0, 10},
	} {
		s := newScale(c.axis, 0, 100, c.values)
		if at := s.at(c.v); math.Abs(at-c.at) > 1e-9 {
			t.Errorf("%+v %v: %g is at %g, want %g", c.axis, c.values, c.v, at, c.at)
		}
		if got := s.ticks(); len(got) != c.ticks {
			t.Errorf("%+v %v: ticks %v, want %d", c.axis, c.values, got, c.ticks)
		}
	}
}
