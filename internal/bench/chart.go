package main

import (
	"bytes"
	_ "embed" // the picture
	"fmt"
	"html/template"
	"math"
	"slices"
)

//go:embed chart.svg
var chartText string

var chartTemplate = template.Must(template.New("").
	Funcs(template.FuncMap{"thousands": thousands}).Parse(chartText))

// A chart is drawn as SVG: two axes, a line with marks for each of the lines, a legend. It has
// its own white background, so that it can be read on any page.
type chart struct {
	Title string
	X, Y  axis
	Lines []line
}

type line struct {
	Name, Color string
	Dashed      bool
	Legend      int // height of its entry
	Points      []point
}

type point struct{ X, Y float64 }

// An axis goes from one pixel to another: logarithmic from one power of ten to another, or in
// percent.
type axis struct {
	Label    string
	Ticks    []float64 // values that get a line of the grid
	from, to float64
	percent  bool
}

// lineColors are told apart also by who sees red and green alike (Okabe, Ito).
var lineColors = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// newChart takes the x values from the first column of rows, the y values from two others, of
// mapid and of libpcap. Each value of a further column (0: none), Mbit/s, has lines of its own.
// What is no number is left out.
func newChart(title string, x, y axis, rows rows, mapid, libpcap, by int) chart {
	c := chart{Title: title}
	var xs, ys []float64
	for _, row := range rows {
		for side, column := range []int{mapid, libpcap} {
			name := sides[side]
			if by > 0 {
				name += ", " + row[by] + " Mbit/s"
			}
			i := slices.IndexFunc(c.Lines, func(l line) bool { return l.Name == name })
			if i < 0 {
				i = len(c.Lines)
				c.Lines = append(c.Lines, line{name, lineColors[i], side == 1, 60 + 22*i, nil})
			}
			var p point
			if _, err := fmt.Sscan(row[0]+" "+row[column], &p.X, &p.Y); err == nil {
				c.Lines[i].Points = append(c.Lines[i].Points, p)
				xs, ys = append(xs, p.X), append(ys, p.Y)
			}
		}
	}
	c.X, c.Y = x.spanning(xs), y.spanning(ys)
	return c
}

// svg returns the picture. Equal charts give equal bytes.
func (c chart) svg() []byte {
	var b bytes.Buffer
	check(chartTemplate.Execute(&b, c))
	return b.Bytes()
}

// spanning returns the axis with ticks that span the values. What is not above 0 is at the low
// end of a logarithmic one.
func (a axis) spanning(values []float64) axis {
	if a.percent {
		a.Ticks = []float64{0, 20, 40, 60, 80, 100}
		return a
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v > 0 {
			low, high = min(low, math.Floor(math.Log10(v))), max(high, math.Ceil(math.Log10(v)))
		}
	}
	if low >= high { // one value, or none
		low = max(-3, min(low, 9))
		high = low + 1
	}
	for d := low; d <= high; d++ {
		a.Ticks = append(a.Ticks, math.Pow(10, d))
	}
	return a
}

// At is the pixel of a value.
func (a axis) At(v float64) float64 {
	low, high := a.Ticks[0], a.Ticks[len(a.Ticks)-1]
	if !a.percent {
		v, low, high = math.Log10(max(v, low)), math.Log10(low), math.Log10(high)
	}
	return math.Round(10*(a.from+(v-low)/(high-low)*(a.to-a.from))) / 10
}
