package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A chart is drawn as SVG from the rows of a table: two axes, a line with marks for each
// series, a legend. It has its own white background, so that it can be read on any page.
type chart struct {
	file, title string
	y           string // label of the y axis; that of the x axis is the table's first column
	percent     bool   // the y axis is in percent; other axes are logarithmic
	columns     [2]int // of the table, with what mapid and libpcap have
	by          int    // column of whose values each has a line; 0: none
}

// A series is a line.
type series struct {
	name   string
	dashed bool
	x, y   []float64
}

// The area of the lines in the SVG, in its own coordinates.
const left, right, top, bottom = 100, 580, 50, 400

// lineColors are told apart also by who sees red and green alike (Okabe, Ito).
var lineColors = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// lines returns a line for mapid and one for libpcap. What is no number is left out.
func (c *chart) lines(t *table) (all []series) {
	for _, row := range t.rows {
		for side, column := range c.columns {
			name := sides[side]
			if c.by > 0 {
				name += ", " + row[c.by] + " " + t.columns[c.by]
			}
			i := slices.IndexFunc(all, func(s series) bool { return s.name == name })
			if i < 0 {
				i, all = len(all), append(all, series{name: name, dashed: side == 1})
			}
			var x, y float64
			if _, err := fmt.Sscan(row[0]+" "+row[column], &x, &y); err == nil {
				all[i].x, all[i].y = append(all[i].x, x), append(all[i].y, y)
			}
		}
	}
	return all
}

// svg returns the picture. Equal tables give equal bytes.
func (c *chart) svg(t *table) []byte {
	b := &bytes.Buffer{}
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 460" width="820" height="460" ` +
		`font-family="sans-serif" font-size="13">` + "\n" + `<rect width="820" height="460" fill="#fff"/>` + "\n")
	text(b, (left+right)/2, 28, `text-anchor="middle" font-weight="bold"`, c.title)
	lines := c.lines(t)
	var xs, ys []float64
	for _, s := range lines {
		xs, ys = append(xs, s.x...), append(ys, s.y...)
	}
	x, y := decades(xs, left, right), decades(ys, bottom, top)
	if c.percent {
		y = percent(bottom, top)
	}
	for _, v := range x.ticks {
		line(b, x.at(v), top, x.at(v), bottom, `stroke="#ddd"`)
		text(b, x.at(v), bottom+20, `text-anchor="middle"`, thousands(v))
	}
	for _, v := range y.ticks {
		line(b, left, y.at(v), right, y.at(v), `stroke="#ddd"`)
		text(b, left-8, y.at(v)+4, `text-anchor="end"`, thousands(v))
	}
	text(b, (left+right)/2, bottom+44, `text-anchor="middle"`, t.columns[0])
	turned := fmt.Sprintf(`text-anchor="middle" transform="rotate(-90 18 %d)"`, (top+bottom)/2)
	text(b, 18, (top+bottom)/2, turned, c.y)
	for i, s := range lines {
		s.draw(b, x, y, lineColors[i%len(lineColors)], float64(top+10+22*i))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// draw draws the line and, at a height beside the chart, its entry of the legend.
func (s series) draw(b *bytes.Buffer, x, y scale, color string, height float64) {
	style := fmt.Sprintf(`stroke="%s" stroke-width="2"`, color)
	if s.dashed {
		style += ` stroke-dasharray="6 4"`
	}
	var path []string
	for i := range s.x {
		path = append(path, fmt.Sprintf("%.1f,%.1f", x.at(s.x[i]), y.at(s.y[i])))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x.at(s.x[i]), y.at(s.y[i]), color)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" %s/>`+"\n", strings.Join(path, " "), style)
	line(b, right+20, height, right+46, height, style)
	text(b, right+54, height+4, `text-anchor="start"`, s.name)
}

func line(b *bytes.Buffer, x1, y1, x2, y2 float64, style string) {
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`+"\n", x1, y1, x2, y2, style)
}

func text(b *bytes.Buffer, x, y float64, style, s string) {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" %s>%s</text>`+"\n", x, y, style, escaped)
}

// A scale maps the values of an axis to pixels.
type scale struct {
	at    func(v float64) float64
	ticks []float64 // values that get a line of the grid
}

// percent is a scale from one pixel to another.
func percent(from, to float64) scale {
	return scale{func(v float64) float64 { return from + v/100*(to-from) }, []float64{0, 20, 40, 60, 80, 100}}
}

// decades is a logarithmic scale that spans the values with whole decades. What is not above
// 0 is at its low end.
func decades(values []float64, from, to float64) (s scale) {
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
	s.at = func(v float64) float64 { return from + (max(low, math.Log10(v))-low)/(high-low)*(to-from) }
	for d := low; d <= high; d++ {
		s.ticks = append(s.ticks, math.Pow(10, d))
	}
	return s
}
