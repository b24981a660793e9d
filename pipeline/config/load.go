package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Load reads and checks the config at path. All that is wrong with it is one
// error, which holds a *Problems and is of kind fault.Usage. known are the
// metrics that there are; nil leaves their names and directions unchecked.
func Load(path string, known Catalogue) (*Config, error) {
	data, err := readBounded(path, "dosirak init writes one")
	if err != nil {
		return nil, err
	}
	return Parse(path, data, known)
}

// Parse checks the text of a config, which messages call by name.
func Parse(name string, data []byte, known Catalogue) (*Config, error) {
	c := &Config{}
	d := newDecoder()
	if d.read(data, c) {
		d.applyRules(c)
		d.check(c, known)
		d.refuseUnsupported(c)
	}
	if err := d.err(name); err != nil {
		return nil, err
	}
	return c, nil
}

// Decode reads the text of another file, such as a manifest, into v, a pointer
// to a struct, as strictly as a config. null stands for a nil pointer.
func Decode(name string, data []byte, v any) error {
	d := newDecoder()
	d.nullable = true
	d.read(data, v)
	return d.err(name)
}

// read parses and decodes data into v, a pointer to a struct, and reports
// whether there is anything that rules could be applied to.
func (d *decoder) read(data []byte, v any) bool {
	root, problems := document(data)
	d.problems = problems
	if len(problems) > 0 {
		return false
	}
	d.decode(root, reflect.ValueOf(v).Elem(), "")
	return !d.places[""].failed
}

func (d *decoder) err(name string) error {
	if len(d.problems) == 0 {
		return nil
	}
	all := &Problems{File: name, List: sorted(d.problems)}
	return all.code().Usage(all)
}

// readBounded reads a small file; absent ends the message of one that is not
// there.
func readBounded(path, absent string) ([]byte, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.ConfigAbsent.Usage(fmt.Errorf("reading %s: there is no such file; %s: %w", path, absent, fs.ErrNotExist))
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.ConfigUnreadable.Usage(fmt.Errorf("reading %s: you may not read it; change its permissions", path))
	case err != nil:
		return nil, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fault.ConfigUnreadable.Usage(fmt.Errorf("reading %s: it is a folder", path))
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	return data, nil
}

// ManifestPath returns the path of an environment's manifest, relative to the
// config's folder.
func (c *Config) ManifestPath(environment string) (string, error) {
	if !slices.Contains(c.Promote.Environments, environment) {
		return "", fault.UnknownEnvironment.Usage(fmt.Errorf("environment %s is not one of %s (promote.environments)", quote(environment), strings.Join(c.Promote.Environments, ", ")))
	}
	return strings.ReplaceAll(c.Promote.Manifest, environmentHole, environment), nil
}

// Exam returns all of the config that decides a verdict, on the evaluation
// table of that digest.
func (c *Config) Exam(evalDigest string) exam.Exam {
	e := exam.Exam{
		Schema: exam.Schema,
		Task:   c.Task,
		Data: exam.Data{
			Eval: evalDigest, Label: c.Data.Label, Positive: string(c.Data.Positive), Features: slices.Clone(c.Data.Features),
			ID: c.Data.ID, Group: c.Data.Group, Weight: c.Data.Weight, Time: c.Data.Time,
		},
		Metrics:    examMetrics(c.Metrics),
		Slices:     examSlices(c.Slices),
		Confidence: c.Confidence,
		Seeds:      slices.Clone(c.Train.Seeds),
		Reproduce:  c.Train.Reproduce.String(),
		When:       c.Promote.When,
	}
	slo := c.Serve.SLO
	if slo.Rate != nil {
		e.SLO.RatePerSecond = float64(*slo.Rate)
	}
	if slo.P99 != nil {
		e.SLO.P99Millis = slo.P99.Millis()
	}
	if slo.Ready != nil {
		e.SLO.ReadyMillis = slo.Ready.Millis()
	}
	if slo.ImageSize != nil {
		e.SLO.ImageBytes = int64(*slo.ImageSize)
	}
	if slo.Memory != nil {
		e.SLO.MemoryBytes = int64(*slo.Memory)
	}
	return e
}

func examMetrics(metrics []Metric) []exam.Metric {
	out := make([]exam.Metric, 0, len(metrics))
	for _, m := range metrics {
		out = append(out, exam.Metric{Name: m.Name, Direction: m.Direction, Margin: m.Margin, Floor: m.Floor, Ceiling: m.Ceiling, Primary: m.Primary, Command: m.Command})
	}
	return out
}

func examSlices(list []Slice) []exam.Slice {
	out := make([]exam.Slice, 0, len(list))
	for _, s := range list {
		e := exam.Slice{Name: s.Name, Column: s.Column, Where: s.Where, Mode: s.Mode, Metric: s.Metric, MinN: s.MinN}
		if s.Margin != nil {
			e.Margin = *s.Margin
		}
		out = append(out, e)
	}
	return out
}
