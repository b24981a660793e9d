package report

import (
	"fmt"
	"slices"
	"strings"
)

// Units are what is independent, and what rows_needed counts: rows, or groups.
func (r *Report) Units() string {
	if r.Groups > 0 {
		return "groups"
	}
	return "rows"
}

// Have is how many of Units the evaluation data has; 0: not said.
func (r *Report) Have() int {
	if r.Groups > 0 {
		return r.Groups
	}
	return r.N
}

// WouldTell is how many rows or groups it takes that an unchanged model passes
// 4 times in 5: "about 890 groups". It is "" where that is not known, and where
// there are as many already.
func (r *Report) WouldTell(m *Metric) string {
	if m.RowsNeeded == nil || *m.RowsNeeded <= int64(r.Have()) {
		return ""
	}
	return fmt.Sprintf("about %s %s", RoundedUp(*m.RowsNeeded), r.Units())
}

// MarginTooSmall reports that m's margin is under its mde: an unchanged model
// would pass less than 4 times in 5.
func (m *Metric) MarginTooSmall() bool {
	c := m.Comparison()
	return m.MDE != nil && c.CI != nil && c.Limit != nil && *m.MDE > -*c.Limit
}

// PowerWarning says whose margins are smaller than what the evaluation data can
// show, "" where none is. It is read before any verdict: such a margin makes an
// INCONCLUSIVE likely whatever the change. only, where given, names the metrics
// to speak of.
func (r *Report) PowerWarning(only ...Name) string {
	if r.Unchanged {
		return ""
	}
	var small []*Metric
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if !m.MarginTooSmall() || (len(only) > 0 && !slices.Contains(only, m.Name)) {
			continue
		}
		// Against baseline and anchor it is one margin; the larger mde counts.
		at := slices.IndexFunc(small, func(x *Metric) bool { return x.Name == m.Name })
		switch {
		case at < 0:
			small = append(small, m)
		case *m.MDE > *small[at].MDE:
			small[at] = m
		}
	}
	data := "the evaluation data"
	if have := r.Have(); have > 0 {
		data = fmt.Sprintf("these %s %s", Count(int64(have)), r.Units())
	}
	const named = 4
	var names, least []string
	for _, m := range small[:min(len(small), named)] {
		names, least = append(names, string(m.Name)), append(least, m.CI.Scaled(*m.MDE))
	}
	if n := len(small) - len(names); n > 0 {
		names, least = append(names, fmt.Sprintf("%d more", n)), append(least, "…")
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("The margin of %s, %s, is under the smallest that %s can show (%s).", names[0], small[0].Margin, data, least[0])
	}
	last := len(names) - 1
	return fmt.Sprintf("The margins of %s and %s are under the smallest that %s can show (%s).", strings.Join(names[:last], ", "), names[last], data, strings.Join(least, ", "))
}
