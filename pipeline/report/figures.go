package report

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Comparison is what a metric and a slice have in common: two values, the
// improvement with its interval, and the limit that the interval is held
// against. Point, Limit and the interval share one scale, so they can be drawn
// on one axis.
type Comparison struct {
	Baseline, Candidate *float64
	Point               *float64 // the improvement, in the scale of CI
	CI                  *Interval
	Limit               *float64 // -margin, in the scale of CI; nil without a margin
}

// Comparison returns m as a comparison.
func (m *Metric) Comparison() Comparison {
	return comparison(m.Baseline, m.Candidate, m.Improvement, m.CI, m.Margin)
}

// Comparison returns s as a comparison.
func (s *Slice) Comparison() Comparison {
	return comparison(s.Baseline, s.Candidate, s.Improvement, s.CI, s.Margin)
}

func comparison(baseline, candidate, improvement *float64, ci *Interval, margin Margin) Comparison {
	c := Comparison{Baseline: baseline, Candidate: candidate, Point: improvement, CI: ci}
	scale := Difference
	if ci != nil {
		scale = ci.Scale
	}
	base := math.NaN()
	if baseline != nil {
		base = math.Abs(*baseline)
	}
	if scale == Ratio && improvement != nil {
		c.Point = finite(*improvement / base)
	}
	if margin != "" {
		value, relative := margin.parse()
		switch {
		case relative && scale == Difference:
			value *= base
		case !relative && scale == Ratio:
			value /= base
		}
		c.Limit = finite(-value)
	}
	return c
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Figures are the texts of a comparison, each with the digits it deserves:
// two significant digits of the interval's half width, and as many more as it
// takes that rounding moves no bound across the limit or zero. An undefined
// figure is "n/a", one that does not exist (no baseline, no margin) "".
type Figures struct {
	Baseline, Candidate string
	Improvement         string // "+0.012", "-1.3%"
	Low, High           string
	Interval            string // "+0.004..+0.020"
	Limit               string // "-0.010", "-2%"
}

// Undefined is how a number that does not exist is printed.
const Undefined = "n/a"

// Figures returns the texts of c.
func (c Comparison) Figures() Figures {
	ratio := c.CI != nil && c.CI.Scale == Ratio
	shown := func(v *float64) *float64 {
		if v == nil || !ratio {
			return v
		}
		p := *v * 100
		return &p
	}
	var low, high *float64
	if c.CI != nil {
		low, high = shown(c.CI.Low), shown(c.CI.High)
	}
	point, limit := shown(c.Point), shown(c.Limit)
	d := decimalsOf(low, high, point)
	for extra := 0; extra < 4 && movesVerdict(low, high, limit, d); extra++ {
		d++
	}
	unit := ""
	if ratio {
		unit = "%"
	}
	f := Figures{Improvement: Undefined, Interval: Undefined}
	if point != nil {
		f.Improvement = signed(*point, d) + unit
	}
	if low != nil {
		f.Low = signed(*low, d) + unit
	}
	if high != nil {
		f.High = signed(*high, d) + unit
	}
	switch {
	case low != nil && high != nil:
		f.Interval = signed(*low, d) + ".." + signed(*high, d) + unit
	case low != nil:
		f.Interval = f.Low + "..?"
	case high != nil:
		f.Interval = "?.." + f.High
	}
	if limit != nil {
		f.Limit = strings.TrimPrefix(trimZeros(signed(*limit, max(d, 4))), "+") + unit
	}
	// The values are in the unit of the metric, whatever the interval's scale.
	vd := d
	if ratio {
		vd = decimalsOf(scaled(c.CI.Low, c.Baseline), scaled(c.CI.High, c.Baseline), nil)
	}
	f.Baseline, f.Candidate = value(c.Baseline, c.CI, vd), value(c.Candidate, c.CI, vd)
	return f
}

func scaled(v, by *float64) *float64 {
	if v == nil || by == nil {
		return nil
	}
	return finite(*v * *by)
}

func value(v *float64, ci *Interval, d int) string {
	switch {
	case v == nil:
		return Undefined
	case ci == nil || ci.Low == nil || ci.High == nil || *ci.Low == *ci.High:
		return Number(*v)
	}
	return fixed(*v, d)
}

// decimalsOf returns the decimals that show two significant digits of the half
// width of low..high; without an interval, four significant digits of point.
func decimalsOf(low, high, point *float64) int {
	if low != nil && high != nil && *high > *low {
		return Decimals((*high - *low) / 2)
	}
	if point != nil && *point != 0 {
		return Decimals(math.Abs(*point) / 100)
	}
	return 4
}

// Decimals returns how many decimals show two significant digits of a
// half width or standard error: 0.0068 gives 4, 0.34 gives 2, 27 gives 0.
func Decimals(spread float64) int {
	if !(spread > 0) || math.IsInf(spread, 0) {
		return 4
	}
	return min(max(1-int(math.Floor(math.Log10(spread))), 0), 12)
}

// movesVerdict reports whether rounding to d decimals changes how a bound
// compares with the limit or with zero.
func movesVerdict(low, high, limit *float64, d int) bool {
	zero := 0.0
	for _, bound := range []*float64{low, high} {
		for _, mark := range []*float64{limit, &zero} {
			if bound == nil || mark == nil || *bound == *mark {
				continue
			}
			if cmp.Compare(round(*bound, d), *mark) != cmp.Compare(*bound, *mark) {
				return true
			}
		}
	}
	return false
}

func round(v float64, d int) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', d, 64), 64)
	return r
}

func fixed(v float64, d int) string {
	if math.Abs(v) >= 1e12 || (v != 0 && d >= 12) {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	s := strconv.FormatFloat(v, 'f', d, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

func signed(v float64, d int) string {
	s := fixed(v, d)
	if strings.HasPrefix(s, "-") || strings.Trim(s, "0.") == "" {
		return s
	}
	return "+" + s
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") && !strings.Contains(s, "e") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Number prints v with four significant digits, for figures whose precision
// nobody knows.
func Number(v float64) string {
	a := math.Abs(v)
	switch {
	case v == 0:
		return "0"
	case a >= 1e9 || a < 1e-6:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case a >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return fixed(v, max(3-int(math.Floor(math.Log10(a))), 0))
}

// Short prints v with two significant digits, for an mde, where more would
// claim too much.
func Short(v float64) string {
	a := math.Abs(v)
	switch {
	case v == 0:
		return "0"
	case a >= 1e9 || a < 1e-6:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return trimZeros(fixed(v, Decimals(a)))
}

// Chance prints a p-value: two digits, and no more than is known of tiny ones.
func Chance(p float64) string {
	if p < 0.0001 {
		return "< 0.0001"
	}
	return Short(p)
}

// Scaled prints v, a figure in the scale of ci, with two significant digits.
func (ci *Interval) Scaled(v float64) string {
	if ci != nil && ci.Scale == Ratio {
		return Short(v*100) + "%"
	}
	return Short(v)
}

// Count prints n with thousands separated by commas.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// RoundedUp prints n rounded up to two significant digits: a number of rows
// that would tell is an estimate.
func RoundedUp(n int64) string {
	step := int64(1)
	for n/step >= 100 {
		step *= 10
	}
	return Count((n + step - 1) / step * step)
}

// Bytes prints a size in the decimal units of image registries.
func Bytes(n int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n), ""
	for _, unit = range units {
		v /= 1000
		if v < 999.5 {
			break
		}
	}
	if v < 9.95 {
		return strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + " " + unit
}

// Millis prints milliseconds in the unit that suits them.
func Millis(ms float64) string {
	switch {
	case ms == 0:
		return "0 ms"
	case ms < 0.0995:
		return Short(ms*1000) + " µs"
	case ms < 9.95:
		return trimZeros(fixed(ms, 2)) + " ms"
	case ms < 999.5:
		return fixed(ms, 0) + " ms"
	case ms < 119_950:
		return fixed(ms/1000, 1) + " s"
	}
	return fixed(ms/60_000, 1) + " min"
}

// Percent prints a share of 1 as a percentage.
func Percent(share float64) string { return trimZeros(fixed(share*100, 4)) + "%" }
