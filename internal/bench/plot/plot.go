// Package plot draws line charts as SVG, for reports: two axes, each linear or
// logarithmic, a line with marks for each series, a legend. The picture has its own
// white background, so that it can be read on any page, and its text is text.
//
//	c := plot.Chart{Title: "Cost", X: plot.Axis{Label: "flows", Log: true}, ...}
//	os.WriteFile("cost.svg", c.SVG(), 0o644)
package plot

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

// A Chart is a picture with one or more series.
type Chart struct {
	Title  string
	X, Y   Axis
	Series []Series
}

// An Axis spans its points, and Min to Max if these are not equal.
type Axis struct {
	Label    string
	Log      bool // points that are not above 0 are left out
	Min, Max float64
}

// A Series is a line.
type Series struct {
	Name   string
	Dashed bool
	Points []Point
}

// A Point is a place of a series.
type Point struct{ X, Y float64 }

// Sizes are in pixels of the SVG's own coordinates.
const (
	width, height         = 820, 460
	left, right           = 100, 580 // of the area of the lines
	top, bottom           = 50, 400
	legendX, legendStep   = right + 20, 22
	markRadius            = 3.5
	textStyle             = `font-family="sans-serif" font-size="13" fill="#222"`
	gridColor, frameColor = "#ddd", "#444"
)

// colors are told apart also by who sees red and green alike (Okabe, Ito).
var colors = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// SVG returns the picture. Equal charts give equal bytes.
func (c *Chart) SVG() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	text(&b, (left+right)/2, 28, "middle", ` font-weight="bold"`, c.Title)
	x := newScale(c.X, left, right, c.values(func(p Point) float64 { return p.X }))
	y := newScale(c.Y, bottom, top, c.values(func(p Point) float64 { return p.Y }))
	c.grid(&b, x, y)
	for i := range c.Series {
		c.Series[i].draw(&b, x, y, colors[i%len(colors)], top+10+i*legendStep)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (c *Chart) values(of func(Point) float64) (all []float64) {
	for _, s := range c.Series {
		for _, p := range s.Points {
			all = append(all, of(p))
		}
	}
	return all
}

// grid draws frame, lines of the grid, their numbers and the labels.
func (c *Chart) grid(b *bytes.Buffer, x, y scale) {
	for _, v := range x.ticks() {
		at := x.at(v)
		line(b, at, top, at, bottom, gridColor)
		text(b, at, bottom+20, "middle", "", number(v))
	}
	for _, v := range y.ticks() {
		at := y.at(v)
		line(b, left, at, right, at, gridColor)
		text(b, left-8, at+4, "end", "", number(v))
	}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="%s"/>`+"\n", left, top, right-left, bottom-top, frameColor)
	text(b, (left+right)/2, bottom+44, "middle", "", c.X.Label)
	text(b, 18, (top+bottom)/2, "middle", fmt.Sprintf(` transform="rotate(-90 18 %d)"`, (top+bottom)/2), c.Y.Label)
}

// draw draws the line and, beside the chart at height key, its entry of the legend.
func (s *Series) draw(b *bytes.Buffer, x, y scale, color string, key int) {
	dash := ""
	if s.Dashed {
		dash = ` stroke-dasharray="6 4"`
	}
	var at []string
	for _, p := range s.Points {
		if !x.has(p.X) || !y.has(p.Y) {
			continue
		}
		px, py := x.at(p.X), y.at(p.Y)
		at = append(at, fmt.Sprintf("%.1f,%.1f", px, py))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="%g" fill="%s"/>`+"\n", px, py, markRadius, color)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>`+"\n", strings.Join(at, " "), color, dash)
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"%s/>`+"\n", legendX, key, legendX+26, key, color, dash)
	text(b, legendX+34, float64(key+4), "start", "", s.Name)
}

func line(b *bytes.Buffer, x1, y1, x2, y2 float64, color string) {
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, color)
}

func text(b *bytes.Buffer, x, y float64, anchor, more, s string) {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" %s%s>%s</text>`+"\n", x, y, anchor, textStyle, more, escaped)
}

// number writes 10000 as 10,000 and small ones with the digits that they need.
func number(v float64) string {
	if math.Abs(v) < 1000 {
		return fmt.Sprintf("%.3g", v)
	}
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
