package config

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
	"github.com/dosirak-ml/dosirak/pipeline/where"
)

func index(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// check looks at what concerns more than one field.
func (d *decoder) check(c *Config, known Catalogue) {
	d.checkTrain(c)
	d.checkData(c)
	d.checkJudgement(c, known)
	d.checkServe(c)
	d.checkPromote(c)
}

func (d *decoder) checkTrain(c *Config) {
	if d.inMissing("train") || d.silenced("train") {
		return
	}
	switch {
	case c.Train.Command != "" && c.Train.Notebook != "":
		d.problem("train.notebook", "stands beside train.command; write one of them")
	case c.Train.Notebook == "" && strings.TrimSpace(c.Train.Command) == "" && !d.silenced("train.command"):
		if d.given("train.command") {
			d.problem("train.command", "is empty; write the command that trains the model and writes it to {out}")
		} else {
			d.problem("train.command", "is missing; write the command that trains the model and writes it to {out}")
		}
	}
	repeated(c.Train.Seeds, func(i, first int) {
		d.problem(index("train.seeds", i), "is %d, which train.seeds[%d] is already; the same seed twice shows nothing new", c.Train.Seeds[i], first)
	})
}

// repeated calls report for each entry that equals an earlier one.
func repeated[T comparable](list []T, report func(i, first int)) {
	seen := map[T]int{}
	for i, v := range list {
		if first, ok := seen[v]; ok {
			report(i, first)
			continue
		}
		seen[v] = i
	}
}

func (d *decoder) checkData(c *Config) {
	if d.inMissing("data") || d.silenced("data") {
		return
	}
	if c.Data.Train != "" && path.Clean(c.Data.Train) == path.Clean(c.Data.Eval) {
		d.problem("data.eval", "is the training table; a model cannot be judged on the rows that it was trained on")
	}
	d.checkPositive(c.Task, string(c.Data.Positive), "data.positive")
	repeated(c.Data.Features, func(i, first int) {
		d.problem(index("data.features", i), "is %s, which data.features[%d] is already", quote(c.Data.Features[i]), first)
	})
	for i, name := range c.Data.Features {
		if name != "" && name == c.Data.Label {
			d.problem(index("data.features", i), "is the label; a model that sees the answer proves nothing")
		}
	}
	for _, role := range []struct{ key, column string }{{"id", c.Data.ID}, {"group", c.Data.Group}, {"weight", c.Data.Weight}, {"time", c.Data.Time}} {
		if role.column != "" && role.column == c.Data.Label {
			d.problem("data."+role.key, "is the label's column")
		}
	}
}

func (d *decoder) checkPositive(task exam.Task, positive, at string) {
	switch {
	case d.silenced("task") || d.silenced(at):
	case task == exam.Binary && positive == "" && !d.given(at):
		d.problem(at, `is missing; a binary task needs the label of the positive class, such as "1"`)
	case (task == exam.Multiclass || task == exam.Regression) && positive != "":
		d.problem(at, "has no meaning for a %s task; remove it", task)
	}
}

// checkJudgement checks and completes metrics and slices.
func (d *decoder) checkJudgement(c *Config, known Catalogue) {
	for i := range c.Metrics {
		d.checkMetric(&c.Metrics[i], index("metrics", i), c.Task, known)
	}
	names := make([]string, len(c.Metrics))
	for i, m := range c.Metrics {
		names[i] = m.Name
	}
	repeated(names, func(i, first int) {
		if names[i] != "" {
			d.problem(index("metrics", i)+".name", "is %s, which metrics[%d] is already", quote(names[i]), first)
		}
	})
	d.choosePrimary(c, known)
	d.checkSlices(c, names, known)
}

func (d *decoder) checkMetric(m *Metric, at string, task exam.Task, known Catalogue) {
	var facts *MetricFacts
	if known != nil && m.Name != "" && m.Command == "" && rules["metricname"].broken(m.Name) == "" {
		f, err := known.Metric(m.Name)
		switch {
		case err == nil:
			facts = &f
		default:
			if near, ok := spelling.Nearest(m.Name, known.Names()); ok && !strings.Contains(near, "<") {
				err = fmt.Errorf("%s is unknown; did you mean %q?", quote(m.Name), near)
			}
			d.problem(at+".name", "%v", err)
		}
	}
	own := exam.Direction("")
	if facts != nil {
		own = facts.Direction
		d.checkFacts(m, at, *facts, task, known)
	}
	directionAt := at + ".direction"
	switch {
	case d.silenced(directionAt), m.Direction != "" && m.Direction != exam.Higher && m.Direction != exam.Lower:
	case facts != nil && facts.ReportOnly && m.Direction == "":
	case m.Direction == "" && m.Margin != nil && own != "":
		d.problem(directionAt, "is missing; a margin needs it: %s is better when %s", m.Name, own)
	case m.Direction == "" && m.Margin != nil:
		d.problem(directionAt, "is missing; a margin needs it: higher or lower")
	case m.Direction != "" && own != "" && m.Direction != own:
		d.problem(directionAt, "is %s, but %s is better when %s", quote(string(m.Direction)), m.Name, own)
	}
	if m.Direction == "" {
		m.Direction = own
	}
	direction := m.Direction
	if own != "" {
		direction = own
	}
	if m.Floor != nil && direction == exam.Lower {
		d.problem(at+".floor", "is for metrics where higher is better; write ceiling")
	}
	if m.Ceiling != nil && direction == exam.Higher {
		d.problem(at+".ceiling", "is for metrics where lower is better; write floor")
	}
	if m.Floor != nil && m.Ceiling != nil && direction == "" {
		d.problem(at+".ceiling", "stands beside a floor; a metric has one of them, by its direction")
	}
	// Without a catalogue the limit itself tells the direction.
	switch {
	case m.Direction != "":
	case m.Floor != nil:
		m.Direction = exam.Higher
	case m.Ceiling != nil:
		m.Direction = exam.Lower
	}
}

func (d *decoder) checkFacts(m *Metric, at string, facts MetricFacts, task exam.Task, known Catalogue) {
	if (task == exam.Binary || task == exam.Multiclass || task == exam.Regression) && !facts.isFor(task) {
		d.problem(at+".name", "%s is not for a %s task; there are %s", quote(m.Name), task, strings.Join(forTask(known, task), ", "))
	}
	if facts.ReportOnly {
		for _, key := range []struct {
			name string
			set  bool
		}{{"margin", m.Margin != nil}, {"floor", m.Floor != nil}, {"ceiling", m.Ceiling != nil}} {
			if key.set {
				d.problem(at+"."+key.name, "cannot stand here: %s cannot be bounded honestly and is only reported; remove the %s", m.Name, key.name)
			}
		}
	}
	if m.Margin != nil {
		d.checkMargin(*m.Margin, m.Name, at+".margin", facts)
	}
}

// checkMargin refuses a margin that has no meaning for a metric.
func (d *decoder) checkMargin(margin exam.Margin, name, at string, facts MetricFacts) {
	if margin.Relative && facts.MayBeNonPositive {
		d.problem(at, "is relative, but %s can be 0 or less; write an absolute margin such as 0.01", name)
	}
	if facts.TooWide != nil && !facts.ReportOnly {
		if why := facts.TooWide(margin); why != "" {
			d.coded(fault.MarginTooWide, at, "%s", why)
		}
	}
}

func forTask(known Catalogue, task exam.Task) []string {
	var names []string
	for _, name := range known.Names() {
		// The catalogue may list a family, as pinball_<q>.
		f, err := known.Metric(strings.ReplaceAll(name, "<q>", "0.5"))
		if err == nil && f.isFor(task) {
			names = append(names, name)
		}
	}
	return names
}

func (m Metric) gated() bool { return m.Margin != nil || m.Floor != nil || m.Ceiling != nil }

// choosePrimary sees to it that exactly one metric is primary.
func (d *decoder) choosePrimary(c *Config, known Catalogue) {
	primary := -1
	for i, m := range c.Metrics {
		switch at := index("metrics", i) + ".primary"; {
		case !m.Primary:
		case primary >= 0:
			d.problem(at, "is true, as it is of metrics[%d]; one metric is primary", primary)
		default:
			primary = i
			if known != nil {
				if f, err := known.Metric(m.Name); err == nil && f.ReportOnly {
					d.problem(at, "cannot be %s, which is only reported", m.Name)
				}
			}
		}
	}
	if primary >= 0 || len(c.Metrics) == 0 {
		return
	}
	first := slices.IndexFunc(c.Metrics, Metric.gated)
	switch {
	case first >= 0:
		c.Metrics[first].Primary = true
	case c.Promote.When == exam.Improved:
		d.problem("promote.when", "asks for an improved primary metric, but no metric has a gate or primary: true")
	}
}

func (d *decoder) checkSlices(c *Config, metrics []string, known Catalogue) {
	primary := slices.IndexFunc(c.Metrics, func(m Metric) bool { return m.Primary })
	var names []string
	for i := range c.Slices {
		s, at := &c.Slices[i], index("slices", i)
		switch {
		case s.Column != "" && s.Where != "":
			d.problem(at+".where", "stands beside column; a slice has one of them")
		case s.Column == "" && s.Where == "" && !d.silenced(at) && !d.silenced(at+".column") && !d.silenced(at+".where"):
			d.problem(at, "has neither column nor where; write column: origin, or where: distance > 1500")
		case s.Where != "":
			d.checkWhere(s.Where, at+".where")
			if s.Name == "" && !d.silenced(at+".name") {
				d.problem(at+".name", "is missing; a slice with where needs a name")
			}
		case s.Name == "":
			s.Name = s.Column
		}
		names = append(names, s.Name)
		d.checkSliceMetric(s, at, c.Metrics, metrics, primary, known)
	}
	repeated(names, func(i, first int) {
		if names[i] != "" {
			d.problem(index("slices", i)+".name", "is %s, which slices[%d] is already", quote(names[i]), first)
		}
	})
}

func (d *decoder) checkWhere(text, at string) {
	if _, err := where.Parse(text); err != nil {
		var in *where.Error
		if errors.As(err, &in) {
			d.problem(at, "cannot be read at its character %d: %s", in.Column, in.Message)
			return
		}
		d.problem(at, "%v", err)
	}
}

// checkSliceMetric fills in the slice's metric and margin.
func (d *decoder) checkSliceMetric(s *Slice, at string, metrics []Metric, names []string, primary int, known Catalogue) {
	of := primary
	if s.Metric != "" {
		of = slices.Index(names, s.Metric)
		if of < 0 {
			d.problem(at+".metric", "is %s, which metrics does not list%s", quote(s.Metric), spelling.Hint(s.Metric, names))
			return
		}
	}
	if d.silenced(at) || d.silenced(at+".metric") || d.silenced("metrics") || len(metrics) == 0 {
		return
	}
	if of < 0 {
		d.problem(at, "has no metric, and no metric is primary; give one of the metrics a margin, or the slice a metric")
		return
	}
	m := metrics[of]
	s.Metric = m.Name
	if known != nil && m.Name != "" {
		if f, err := known.Metric(m.Name); err == nil {
			if f.ReportOnly {
				d.problem(at+".metric", "is %s, which cannot be bounded honestly and is only reported", m.Name)
				return
			}
			if s.Margin != nil {
				d.checkMargin(*s.Margin, m.Name, at+".margin", f)
			}
		}
	}
	if s.Margin == nil && !d.silenced(at+".margin") {
		if m.Margin == nil {
			if !d.silenced(index("metrics", of) + ".margin") {
				d.problem(at+".margin", "is missing; %s has no margin that the slice could take", m.Name)
			}
			return
		}
		margin := *m.Margin
		s.Margin = &margin
	}
	if m.Direction == "" && known == nil && m.Margin == nil {
		d.problem(index("metrics", of)+".direction", "is missing; slices[...] judge %s, so say which way is better", m.Name)
	}
}

func (d *decoder) checkServe(c *Config) {
	given := 0
	for _, own := range []struct{ key, value string }{{"dockerfile", c.Serve.Dockerfile}, {"image", c.Serve.Image}, {"command", c.Serve.Command}} {
		if own.value == "" {
			continue
		}
		if given++; given > 1 {
			d.problem("serve."+own.key, "stands beside another server; write one of dockerfile, image and command")
		}
	}
	if c.Serve.SLO.P99 != nil && c.Serve.SLO.Rate == nil && !d.silenced("serve.slo.rate") {
		d.problem("serve.slo.rate", "is missing; p99 needs the rate at which it must hold, such as 200/s")
	}
}

func (d *decoder) checkPromote(c *Config) {
	repeated(c.Promote.Environments, func(i, first int) {
		d.problem(index("promote.environments", i), "is %s, which promote.environments[%d] is already", quote(c.Promote.Environments[i]), first)
	})
	if len(c.Promote.Environments) > 1 && !d.silenced("promote.manifest") && !strings.Contains(c.Promote.Manifest, environmentHole) {
		d.problem("promote.manifest", "must hold %s, since there are %d environments", environmentHole, len(c.Promote.Environments))
	}
}
