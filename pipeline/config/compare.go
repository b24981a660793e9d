package config

import (
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// CompareConfig is what `dosirak compare` needs of a config: a whole
// dosirak.yaml, or a file with no more than task, metrics, slices, confidence,
// group and weight.
type CompareConfig struct {
	Task       exam.Task
	Positive   string // may be empty
	Group      string
	Weight     string
	Metrics    []Metric
	Slices     []Slice
	Confidence float64
}

// compareFile is the written form: the config's keys, and group and weight at
// the top, where a file without data has them.
type compareFile struct {
	Config   `yaml:",inline"`
	Group    string `yaml:"group" validate:"omitempty,column"`
	Weight   string `yaml:"weight" validate:"omitempty,column"`
	Positive Scalar `yaml:"positive" validate:"omitempty,singleline"`
}

// judging are the keys that a comparison reads; rules of others are not its
// business, though what stands there must still be well formed.
var judging = []string{"version", "task", "metrics", "slices", "confidence", "group", "weight", "positive", "data.group", "data.weight", "data.positive"}

// LoadCompare reads and checks the config of a comparison, as Load does.
func LoadCompare(path string, known Catalogue) (*CompareConfig, error) {
	data, err := readBounded(path, "write one with task and metrics")
	if err != nil {
		return nil, err
	}
	return ParseCompare(path, data, known)
}

// ParseCompare checks the text of the config of a comparison.
func ParseCompare(name string, data []byte, known Catalogue) (*CompareConfig, error) {
	f := &compareFile{}
	d := newDecoder()
	if d.read(data, f) {
		wellFormed := len(d.problems)
		if !d.given("version") {
			f.Version = 1
		}
		d.applyRules(f)
		d.checkJudgement(&f.Config, known)
		broken := slices.DeleteFunc(slices.Clone(d.problems[wellFormed:]), func(p Problem) bool { return !concernsJudging(p.Path) })
		d.problems = append(d.problems[:wellFormed], broken...)
		d.checkPairs(f)
	}
	if err := d.err(name); err != nil {
		return nil, err
	}
	c := &CompareConfig{Task: f.Task, Positive: string(f.Positive), Group: f.Group, Weight: f.Weight, Metrics: f.Metrics, Slices: f.Slices, Confidence: f.Confidence}
	return c, nil
}

func concernsJudging(path string) bool {
	return slices.ContainsFunc(judging, func(key string) bool {
		rest, ok := strings.CutPrefix(path, key)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// checkPairs merges the keys that may stand at the top or under data.
func (d *decoder) checkPairs(f *compareFile) {
	for _, pair := range []struct {
		key      string
		top      *string
		underTop string
	}{{"group", &f.Group, f.Data.Group}, {"weight", &f.Weight, f.Data.Weight}, {"positive", (*string)(&f.Positive), string(f.Data.Positive)}} {
		switch {
		case *pair.top == "":
			*pair.top = pair.underTop
		case pair.underTop != "" && pair.underTop != *pair.top:
			d.problem(pair.key, "is %s, but data.%s is %s; write one of them", quote(*pair.top), pair.key, quote(pair.underTop))
		}
	}
}

// Exam returns the exam of a comparison: without data digest, seeds and levels
// of service, which a comparison of two files does not have.
func (c *CompareConfig) Exam() exam.Exam {
	return exam.Exam{
		Schema:     exam.Schema,
		Task:       c.Task,
		Data:       exam.Data{Positive: c.Positive, Group: c.Group, Weight: c.Weight},
		Metrics:    examMetrics(c.Metrics),
		Slices:     examSlices(c.Slices),
		Confidence: c.Confidence,
		When:       exam.NotWorse,
	}
}
