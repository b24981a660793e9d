package report

import "math"

// Axis is the common axis of many comparisons, in units of each one's own
// margin: -1 is the limit beyond which a comparison fails, 0 is no change.
// On it the eye sees the verdict: an interval wholly right of -1 passes, one
// wholly left of it fails, one across it cannot tell.
type Axis struct{ Min, Max float64 }

// TextAxis suits bars made of characters.
var TextAxis = Axis{Min: -2, Max: 2}

// AxisOf returns an axis that holds most of cs: never narrower than -1.6..1,
// never wider than -4..4. What lies beyond is drawn with an arrow.
func AxisOf(cs []Comparison) Axis {
	a := Axis{Min: -1.6, Max: 1}
	for _, c := range cs {
		if unit, ok := c.unit(); ok && c.Limit != nil {
			for _, v := range []*float64{c.low(), c.high(), c.Point} {
				if v != nil {
					a.Min, a.Max = min(a.Min, *v/unit*1.05), max(a.Max, *v/unit*1.05)
				}
			}
		}
	}
	return Axis{Min: max(a.Min, -4), Max: min(a.Max, 4)}
}

// At returns where v lies on the axis, 0 to 1, and whether it lies beyond an
// end: -1 before the start, 1 after the end.
func (a Axis) At(v float64) (position float64, beyond int) {
	p := (v - a.Min) / (a.Max - a.Min)
	switch {
	case p < 0:
		return 0, -1
	case p > 1:
		return 1, 1
	}
	return p, 0
}

// Bar is a comparison on an axis. Positions run from 0 to 1.
type Bar struct {
	Low, High, Point        float64
	HasInterval, HasPoint   bool
	BeyondLow, BeyondHigh   bool // the interval goes on past the end of the axis
	BeyondPoint             int
	Zero, Limit             float64
	HasLimit                bool
	LowUnknown, HighUnknown bool
}

func (c Comparison) low() *float64 {
	if c.CI == nil {
		return nil
	}
	return c.CI.Low
}

func (c Comparison) high() *float64 {
	if c.CI == nil {
		return nil
	}
	return c.CI.High
}

// unit is the length of 1 on the axis: the margin, or where there is none (or
// it is 0) two thirds of the largest figure.
func (c Comparison) unit() (float64, bool) {
	if c.Limit != nil && *c.Limit < 0 {
		return -*c.Limit, true
	}
	most := 0.0
	for _, v := range []*float64{c.low(), c.high(), c.Point} {
		if v != nil {
			most = max(most, math.Abs(*v))
		}
	}
	return most / 1.5, most > 0
}

// InMargins is the improvement in units of the margin, -1 being the limit; ok
// is false without a margin above 0, or without an improvement.
func (c Comparison) InMargins() (v float64, ok bool) {
	if c.Point == nil || c.Limit == nil || !(*c.Limit < 0) {
		return 0, false
	}
	p := finite(*c.Point / -*c.Limit)
	if p == nil {
		return 0, false
	}
	return *p, true
}

// Bar places c on the axis. ok is false where there is nothing to draw.
func (c Comparison) Bar(a Axis) (b Bar, ok bool) {
	unit, ok := c.unit()
	if !ok {
		if c.Point == nil {
			return Bar{}, false
		}
		unit = 1
	}
	b.Zero, _ = a.At(0)
	if c.Limit != nil {
		b.Limit, _ = a.At(*c.Limit / unit)
		b.HasLimit = true
	}
	if c.Point != nil {
		b.Point, b.BeyondPoint = a.At(*c.Point / unit)
		b.HasPoint = true
	}
	low, high := c.low(), c.high()
	if low == nil && high == nil {
		return b, b.HasPoint
	}
	b.HasInterval, b.High = true, 1
	b.BeyondLow, b.BeyondHigh = true, true
	if low != nil {
		p, beyond := a.At(*low / unit)
		b.Low, b.BeyondLow = p, beyond < 0
	}
	if high != nil {
		p, beyond := a.At(*high / unit)
		b.High, b.BeyondHigh = p, beyond > 0
	}
	b.LowUnknown, b.HighUnknown = low == nil, high == nil
	return b, true
}

// Cells draws b with width characters, one cell each:
//
//	·····┊··━━●━│·····
//
// ┊ is the limit, │ no change, ━ the interval, ● the improvement, ◀ and ▶ an
// interval that goes on. The characters need no colour.
func (b Bar) Cells(width int) string {
	cells := make([]rune, width)
	for i := range cells {
		cells[i] = '·'
	}
	at := func(p float64) int { return min(max(int(math.Round(p*float64(width-1))), 0), width-1) }
	if b.HasInterval {
		for i := at(b.Low); i <= at(b.High); i++ {
			cells[i] = '━'
		}
	}
	cells[at(b.Zero)] = '│'
	if b.HasLimit {
		limit := at(b.Limit)
		// Never let rounding hide on which side of the limit the interval lies.
		if b.HasInterval && b.Low > b.Limit && at(b.Low) == limit && limit > 0 {
			limit--
		} else if b.HasInterval && b.High < b.Limit && at(b.High) == limit && limit < width-1 {
			limit++
		}
		cells[limit] = '┊'
	}
	if b.HasPoint && b.BeyondPoint == 0 {
		cells[at(b.Point)] = '●'
	}
	if b.HasInterval && b.BeyondLow {
		cells[0] = '◀'
	}
	if b.HasInterval && b.BeyondHigh {
		cells[width-1] = '▶'
	}
	return string(cells)
}
