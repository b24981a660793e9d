package compare

import (
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Input is what a comparison needs. The sets are paired by id here; Baseline
// is nil for a first model, Anchor where there is none or it is the baseline.
type Input struct {
	Exam      exam.Exam
	Candidate *predictions.Set
	Baseline  *predictions.Set
	Anchor    *predictions.Set
	// Levels are the levels of slice columns that were known before, by
	// column, such as those of the training data; new and vanished ones are
	// named. May be nil.
	Levels map[string][]string
	// Custom computes a custom metric of a set: a number per row, in the set's
	// order, or one for all. Package metric/command runs its command; nil where
	// the exam has no custom metric.
	Custom func(want exam.Metric, set *predictions.Set) ([]float64, error)
}

// Result is the object of `dosirak compare --json`.
type Result struct {
	Verdict    verdict.Verdict `json:"verdict"` // the worst gate's
	N          int             `json:"n"`       // paired rows
	Groups     int             `json:"groups,omitempty"`
	NEff       float64         `json:"n_eff,omitempty"`  // (sum w)²/sum w², with weights
	Confidence float64         `json:"confidence"`       // of each bound
	Reason     string          `json:"reason,omitempty"` // why the verdict is what it is, where no gate says it
	Metrics    []Metric        `json:"metrics"`
	Slices     []Slice         `json:"slices"`
	Levels     []Levels        `json:"levels,omitempty"`
}

// Against says which model a metric was judged against.
type Against string

const (
	AgainstBaseline Against = "baseline"
	AgainstAnchor   Against = "anchor"
)

// Metric is one metric of both models. Numbers that are undefined are null.
type Metric struct {
	Name      string         `json:"name"`
	Direction exam.Direction `json:"direction"`
	Against   Against        `json:"against"`
	Primary   bool           `json:"primary,omitempty"`
	Baseline  *float64       `json:"baseline"`
	Candidate *float64       `json:"candidate"`
	Delta     *float64       `json:"delta"` // candidate - baseline
	// Improvement is Delta oriented so that positive is better.
	Improvement *float64 `json:"improvement"`
	// CI is of the improvement, on its scale.
	CI *Interval `json:"ci"`
	// ValueCI is of the candidate's value, where a floor or ceiling is judged.
	ValueCI *Interval    `json:"value_ci,omitempty"`
	Margin  *exam.Margin `json:"margin"`
	// Verdict is empty for a metric without gate.
	Verdict  verdict.Verdict `json:"verdict,omitempty"`
	Improved bool            `json:"improved"` // low > 0
	Floor    *float64        `json:"floor"`
	Ceiling  *float64        `json:"ceiling,omitempty"`
	SE       *float64        `json:"se,omitempty"` // of the improvement, on the scale of CI
	// MDE is the margin, on the scale of CI, at which an unchanged model passes
	// 4 times in 5.
	MDE *float64 `json:"mde"`
	// RowsNeeded is the number of rows (groups, where there are groups) at
	// which the margin is the MDE.
	RowsNeeded *int64 `json:"rows_needed"`
	Reason     string `json:"reason,omitempty"`
}

// Scale is the unit of an interval.
type Scale string

const (
	// Difference is the unit of the metric.
	Difference Scale = "difference"
	// Ratio is the improvement divided by the baseline's value.
	Ratio Scale = "ratio"
)

// Interval is a confidence interval. Each bound holds with Confidence (Sides
// is 1), so low..high holds with 2·Confidence-1. A nil bound does not exist.
type Interval struct {
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	Confidence float64  `json:"confidence"`
	Sides      int      `json:"sides"`
	Scale      Scale    `json:"scale"`
	Method     string   `json:"method"`
	Source     string   `json:"source,omitempty"` // who published the method
}

// Slice is one subset of the rows.
type Slice struct {
	Name        string          `json:"name,omitempty"`
	Column      string          `json:"column,omitempty"`
	Level       string          `json:"level,omitempty"`
	Where       string          `json:"where,omitempty"`
	Mode        exam.SliceMode  `json:"mode"`
	Metric      string          `json:"metric"`
	Direction   exam.Direction  `json:"direction"`
	Against     Against         `json:"against"`
	N           int             `json:"n"`
	MinN        int             `json:"min_n"`
	Judged      bool            `json:"judged"`
	Baseline    *float64        `json:"baseline"`
	Candidate   *float64        `json:"candidate"`
	Improvement *float64        `json:"improvement"`
	CI          *Interval       `json:"ci"`
	Margin      *exam.Margin    `json:"margin"`
	P           *float64        `json:"p,omitempty"`      // alarm: of "not below -margin"
	PHolm       *float64        `json:"p_holm,omitempty"` // adjusted over all alarms
	Verdict     verdict.Verdict `json:"verdict,omitempty"`
	Reason      string          `json:"reason,omitempty"`
}

// Levels names the levels of a slice column that came or went.
type Levels struct {
	Column   string   `json:"column"`
	New      []string `json:"new,omitempty"`
	Vanished []string `json:"vanished,omitempty"`
}

func ptr[T any](v T) *T { return &v }
