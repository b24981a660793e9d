package page

import (
	"math"
	"strconv"

	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// pct writes a position from 0 to 1 as an SVG percentage.
func pct(p float64) string {
	return strconv.FormatFloat(min(max(p, 0), 1)*100, 'f', 2, 64) + "%"
}

// px writes a coordinate.
func px(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// forest is one comparison drawn on the common axis.
type forest struct {
	Zone                 string // width of the part beyond the limit; empty without one
	Zero, Low, Width     string
	Point                string
	HasInterval          bool
	ArrowLow, ArrowHigh  bool
	HighEnd              string
	PointLow, PointRight bool // the point itself lies beyond an end
}

func forestOf(c report.Comparison, axis report.Axis) *forest {
	b, ok := c.Bar(axis)
	if !ok {
		return nil
	}
	f := &forest{Zero: pct(b.Zero), HasInterval: b.HasInterval, ArrowLow: b.HasInterval && b.BeyondLow, ArrowHigh: b.HasInterval && b.BeyondHigh}
	if b.HasLimit {
		f.Zone = pct(b.Limit)
	}
	if b.HasInterval {
		f.Low, f.Width, f.HighEnd = pct(b.Low), pct(b.High-b.Low), pct(b.High)
	}
	if b.HasPoint {
		switch b.BeyondPoint {
		case -1:
			f.PointLow = true
		case 1:
			f.PointRight = true
		default:
			f.Point = pct(b.Point)
		}
	}
	return f
}

// boundsOf draws the candidate's value against its floor, or its ceiling with
// the axis turned, so that better is right here too. A metric with both shows
// the one that is nearer.
func boundsOf(m *report.Metric) *forest {
	if m.Candidate == nil || (m.Floor == nil && m.Ceiling == nil) {
		return nil
	}
	limit, turned := m.Floor, false
	if limit == nil || m.Ceiling != nil && *m.Ceiling-*m.Candidate < *m.Candidate-*limit {
		limit, turned = m.Ceiling, true
	}
	values := []float64{*m.Candidate, *limit}
	if m.Value != nil {
		for _, v := range []*float64{m.Value.Low, m.Value.High} {
			if v != nil {
				values = append(values, *v)
			}
		}
	}
	s := scaleOf(values)
	// The forbidden part takes a visible share of the axis.
	if room := (s.max - s.min) * 0.3; turned {
		s.max = max(s.max, *limit+room)
	} else {
		s.min = min(s.min, *limit-room)
	}
	at := func(v float64) float64 {
		if turned {
			return 1 - s.at(v)
		}
		return s.at(v)
	}
	f := &forest{Zone: pct(at(*limit)), Point: pct(at(*m.Candidate))}
	if m.Value != nil && m.Value.Low != nil && m.Value.High != nil {
		low, high := at(*m.Value.Low), at(*m.Value.High)
		low, high = min(low, high), max(low, high)
		f.HasInterval, f.Low, f.HighEnd, f.Width = true, pct(low), pct(high), pct(high-low)
	}
	return f
}

// scale maps values to positions with room at both ends.
type scale struct{ min, max float64 }

func scaleOf(values []float64) scale {
	s := scale{math.Inf(1), math.Inf(-1)}
	for _, v := range values {
		s.min, s.max = min(s.min, v), max(s.max, v)
	}
	room := (s.max - s.min) * 0.08
	if room == 0 {
		room = max(math.Abs(s.max)*0.01, 1e-9)
	}
	return scale{s.min - room, s.max + room}
}

func (s scale) at(v float64) float64 { return (v - s.min) / (s.max - s.min) }

// logScale maps positive values by their logarithm.
type logScale struct{ min, max float64 }

// logScaleOf spans the values, with room, and at least a decade.
func logScaleOf(values []float64) logScale {
	low, high := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	if high == 0 {
		return logScale{0.1, 10}
	}
	low, high = low/1.6, high*1.6
	if high/low < 10 {
		low = high / 10
	}
	return logScale{low, high}
}

func (s logScale) at(v float64) float64 {
	if v <= s.min {
		return 0
	}
	return math.Log(v/s.min) / math.Log(s.max/s.min)
}

// ticks returns the powers of ten within the scale, and where there are fewer
// than three of them their doubles and fives too.
func (s logScale) ticks() []float64 {
	steps := []float64{1}
	if math.Log10(s.max/s.min) < 3 {
		steps = []float64{1, 2, 5}
	}
	if math.Log10(s.max/s.min) >= 1.6 {
		steps = steps[:1]
	}
	var out []float64
	for e := math.Floor(math.Log10(s.min)); e <= math.Ceil(math.Log10(s.max)); e++ {
		for _, step := range steps {
			if v := step * math.Pow(10, e); v >= s.min && v <= s.max {
				out = append(out, v)
			}
		}
	}
	return out
}

// dot is a marker of a chart with a fixed view box.
type dot struct{ X, Y, Title string }

// calibrationChart is the reliability diagram: a square plot of plotSize with
// bars of the rows below it.
type calibrationChart struct {
	Candidate, Baseline         string // points of polylines
	CandidateDots, BaselineDots []dot
	Bars                        []bar
	Ticks                       []tick
}

type bar struct{ X, Y, Width, Height, Title string }
type tick struct{ At, Label string }

const (
	plotLeft, plotTop, plotSize = 44.0, 10.0, 260.0
	barsTop, barsHeight         = 308.0, 44.0
)

func calibrationOf(c *report.Calibration) *calibrationChart {
	if c == nil || len(c.Candidate) == 0 {
		return nil
	}
	out := &calibrationChart{}
	out.Candidate, out.CandidateDots = series(c.Candidate)
	out.Baseline, out.BaselineDots = series(c.Baseline)
	most := int64(1)
	for _, b := range c.Candidate {
		most = max(most, b.N)
	}
	for _, b := range c.Candidate {
		h := barsHeight * float64(b.N) / float64(most)
		if b.N > 0 {
			h = max(h, 1)
		}
		out.Bars = append(out.Bars, bar{
			X: px(plotLeft + plotSize*b.Low + 1), Width: px(max(plotSize*(b.High-b.Low)-2, 0.5)),
			Y: px(barsTop + barsHeight - h), Height: px(h), Title: report.Count(b.N) + " rows",
		})
	}
	for _, v := range []float64{0, 0.25, 0.5, 0.75, 1} {
		out.Ticks = append(out.Ticks, tick{px(v * plotSize), strconv.FormatFloat(v, 'g', -1, 64)})
	}
	return out
}

// minDotRows keeps a bin of a handful of rows, whose share is noise, out of the
// line; it stays in the table.
const minDotRows = 10

func series(bins []report.Bin) (points string, dots []dot) {
	for _, b := range bins {
		if b.N < minDotRows || b.Mean == nil || b.Observed == nil {
			continue
		}
		x, y := plotLeft+plotSize**b.Mean, plotTop+plotSize*(1-*b.Observed)
		if points != "" {
			points += " "
		}
		points += px(x) + "," + px(y)
		dots = append(dots, dot{px(x), px(y), "predicted " + report.Number(*b.Mean) + ", observed " + report.Number(*b.Observed) + ", " + report.Count(b.N) + " rows"})
	}
	return points, dots
}
