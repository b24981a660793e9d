// Package exam holds the exam: all that decides a verdict, as a value with a
// digest.
//
// A change may not grade its own exam. The digest of the exam by which
// production was promoted stands in its manifest, the text in its evidence;
// when a change alters the exam, the verdict is computed under both, and
// Changes says what was altered.
//
// The package is a leaf: types and rules, standard library only.
package exam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
)

// Schema names the format of the canonical text.
const Schema = "dosirak/exam/v1"

// Task is what the model predicts.
type Task string

const (
	Binary     Task = "binary"
	Multiclass Task = "multiclass"
	Regression Task = "regression"
)

// Direction says which way a metric is better.
type Direction string

const (
	Higher Direction = "higher"
	Lower  Direction = "lower"
)

// When says what a promotion asks for beyond a PASS.
type When string

const (
	NotWorse When = "not-worse"
	Improved When = "improved"
)

// Exam is all that decides a verdict.
type Exam struct {
	Schema     string   `json:"schema"`
	Task       Task     `json:"task"`
	Data       Data     `json:"data"`
	Metrics    []Metric `json:"metrics"`
	Slices     []Slice  `json:"slices"`
	Confidence float64  `json:"confidence"` // of each bound, so low..high has 2·confidence-1
	Seeds      []int64  `json:"seeds"`
	Reproduce  string   `json:"reproduce"`
	SLO        SLO      `json:"slo"`
	When       When     `json:"when"`
}

// Data names the evaluation rows and the columns that have a meaning.
type Data struct {
	Eval     string   `json:"eval"` // digest of the evaluation file, "sha256:..."
	Label    string   `json:"label"`
	Positive string   `json:"positive,omitempty"`
	Features []string `json:"features,omitempty"`
	ID       string   `json:"id,omitempty"`
	Group    string   `json:"group,omitempty"`
	Weight   string   `json:"weight,omitempty"`
	Time     string   `json:"time,omitempty"`
	// Columns holds the digest of each column's values, by name. With it a table
	// that has more columns, or others in the place of some, can be seen to ask
	// the same of the rows (see Asks). Exams of releases before it have none.
	Columns map[string]string `json:"columns,omitempty"`
}

// Metric is one measured quantity and its gates. A metric with neither margin
// nor floor nor ceiling is informational.
type Metric struct {
	Name      string    `json:"name"`
	Direction Direction `json:"direction,omitempty"` // required with a margin
	Margin    *Margin   `json:"margin,omitempty"`
	Floor     *float64  `json:"floor,omitempty"`
	Ceiling   *float64  `json:"ceiling,omitempty"`
	Primary   bool      `json:"primary,omitempty"`
	Command   string    `json:"command,omitempty"` // a custom metric
}

// Gated reports whether anything of m can fail a run.
func (m Metric) Gated() bool { return m.Margin != nil || m.Floor != nil || m.Ceiling != nil }

// SliceMode says whether a slice alarms or gates.
type SliceMode string

const (
	Alarm SliceMode = "alarm"
	Gate  SliceMode = "gate"
)

// Slice is a subset of the rows: every level of Column, or the rows that hold
// Where.
type Slice struct {
	Name   string    `json:"name"`
	Column string    `json:"column,omitempty"`
	Where  string    `json:"where,omitempty"`
	Mode   SliceMode `json:"mode"`
	Metric string    `json:"metric"`
	Margin Margin    `json:"margin"`
	MinN   int       `json:"min_n"`
}

// SLO holds the service levels that the smoke test checks; zero means unset.
type SLO struct {
	RatePerSecond float64 `json:"rate_per_second,omitempty"`
	P99Millis     float64 `json:"p99_ms,omitempty"`
	ReadyMillis   float64 `json:"ready_ms,omitempty"`
	ImageBytes    int64   `json:"image_bytes,omitempty"`
	MemoryBytes   int64   `json:"memory_bytes,omitempty"`
}

// Margin is the loss that one is willing to accept, absolute in the metric's
// unit or relative to the baseline's value.
type Margin struct {
	Value    float64
	Relative bool
}

// ParseMargin reads "0.01" or "2%".
func ParseMargin(s string) (Margin, error) {
	text, relative := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return Margin{}, fmt.Errorf("margin %q is neither a number such as 0.01 nor a percentage such as 2%%", s)
	}
	if relative {
		v /= 100
	}
	if !(v >= 0) || (relative && v >= 1) || v > 1e300 {
		return Margin{}, fmt.Errorf("margin %q must be a finite number of at least 0, and under 100%% when relative", s)
	}
	return Margin{Value: v, Relative: relative}, nil
}

// String returns the margin as ParseMargin reads it.
func (m Margin) String() string {
	if m.Relative {
		// 12 digits hide the binary error of the division by 100.
		return strconv.FormatFloat(m.Value*100, 'g', 12, 64) + "%"
	}
	return strconv.FormatFloat(m.Value, 'g', -1, 64)
}

// MarshalText writes the form that ParseMargin reads.
func (m Margin) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the form that MarshalText writes.
func (m *Margin) UnmarshalText(b []byte) error {
	v, err := ParseMargin(string(b))
	if err == nil {
		*m = v
	}
	return err
}

// Canonical returns the exam's text: JSON with fields in the order of the
// types, two spaces, a final newline. Equal exams have equal texts.
func (e Exam) Canonical() []byte {
	e.Schema = Schema
	if e.Metrics == nil {
		e.Metrics = []Metric{}
	}
	if e.Slices == nil {
		e.Slices = []Slice{}
	}
	if e.Seeds == nil {
		e.Seeds = []int64{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	// The types hold only strings, finite numbers and slices of them, which
	// always encode; ParseMargin and the config's validation keep NaN out.
	if err := enc.Encode(e); err != nil {
		panic(fmt.Sprintf("encoding an exam that was never validated: %v", err))
	}
	return b.Bytes()
}

// Digest returns "sha256:" and the hexadecimal digest of Canonical.
func (e Exam) Digest() string { return digest.Of(e.Canonical()) }

// Parse reads a canonical text. Unknown fields are an error: an exam of a
// newer release must not be judged by an older one that does not know half
// of it.
func Parse(text []byte) (Exam, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var e Exam
	if err := dec.Decode(&e); err != nil {
		return Exam{}, fmt.Errorf("parsing the exam: %w", err)
	}
	if e.Schema != Schema {
		return Exam{}, fmt.Errorf("parsing the exam: schema %q, this release knows %q", e.Schema, Schema)
	}
	return e, nil
}
