package exam

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Change is one thing that differs between two exams.
type Change struct {
	Path string // in the config's words: metrics.roc_auc.margin
	Old  string // as the config writes it; empty: not there
	New  string
}

// Changes returns what was altered between two exams, one row a thing, sorted
// by path. It is empty exactly when the exams' digests are equal, but for one
// case: an exam without digests by column, from an earlier release, asks the
// same as one that has them when the file is the same.
func Changes(old, new Exam) []Change {
	was, is := rows(old), rows(new)
	wasMetrics, isMetrics, wasSlices, isSlices := metricNames(old), metricNames(new), sliceNames(old), sliceNames(new)
	was["metrics"], is["metrics"] = order(wasMetrics, isMetrics), order(isMetrics, wasMetrics)
	was["slices"], is["slices"] = order(wasSlices, isSlices), order(isSlices, wasSlices)
	columnRows(old.Data, new.Data, was, is)
	var changes []Change
	for path := range merged(was, is) {
		if was[path] != is[path] && !partOfWhole(path, was, is) {
			changes = append(changes, Change{path, words(was, path), words(is, path)})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return changes
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// present is the value of a metric or slice as a whole, and of nothing else.
const present = "\x00"

// partOfWhole holds for a part of a metric or slice that came or went: the row
// of the whole says all of it.
func partOfWhole(path string, was, is map[string]string) bool {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' && (was[path[:i]] == present) != (is[path[:i]] == present) {
			return true
		}
	}
	return false
}

// words returns the value of a row; of a metric or slice as a whole its parts.
func words(rows map[string]string, path string) string {
	if rows[path] != present {
		return rows[path]
	}
	var parts []string
	for part, value := range rows {
		if name, ok := strings.CutPrefix(part, path+"."); ok && value != "" {
			parts = append(parts, name+": "+value)
		}
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ", ") + "}"
}

// order is the value of the row "metrics" or "slices": the names that both
// exams have, in the order of the one. The report shows them so, and the
// digest depends on it.
func order(names, others []string) string {
	return listOf(names, func(name string) string {
		if slices.Contains(others, name) {
			return plain(name)
		}
		return ""
	})
}

// rows flattens an exam into path and value. Every field of the exam is a row
// (or part of one): a field that is forgotten here would be changed without
// anybody being told, so a test alters each.
func rows(e Exam) map[string]string {
	r := map[string]string{
		"task":            string(e.Task),
		"confidence":      number(e.Confidence),
		"train.seeds":     listOf(e.Seeds, func(s int64) string { return strconv.FormatInt(s, 10) }),
		"train.reproduce": e.Reproduce,
		"promote.when":    string(e.When),

		"data.eval":     e.Data.Eval,
		"data.label":    e.Data.Label,
		"data.positive": e.Data.Positive,
		"data.features": listOf(e.Data.Features, plain),
		"data.id":       e.Data.ID,
		"data.group":    e.Data.Group,
		"data.weight":   e.Data.Weight,
		"data.time":     e.Data.Time,

		"serve.slo.rate":       rate(e.SLO.RatePerSecond),
		"serve.slo.p99":        millis(e.SLO.P99Millis),
		"serve.slo.ready":      millis(e.SLO.ReadyMillis),
		"serve.slo.image_size": size(e.SLO.ImageBytes),
		"serve.slo.memory":     size(e.SLO.MemoryBytes),
	}
	for i, name := range metricNames(e) {
		metricRows(r, "metrics."+plain(name), e.Metrics[i])
	}
	for i, name := range sliceNames(e) {
		sliceRows(r, "slices."+plain(name), e.Slices[i])
	}
	return r
}

func metricRows(r map[string]string, path string, m Metric) {
	r[path] = present
	r[path+".direction"] = string(m.Direction)
	r[path+".command"] = m.Command
	if m.Primary {
		r[path+".primary"] = "true"
	}
	if m.Margin != nil {
		r[path+".margin"] = m.Margin.String()
	}
	if m.Floor != nil {
		r[path+".floor"] = number(*m.Floor)
	}
	if m.Ceiling != nil {
		r[path+".ceiling"] = number(*m.Ceiling)
	}
}

func sliceRows(r map[string]string, path string, s Slice) {
	r[path] = present
	r[path+".column"] = s.Column
	r[path+".where"] = s.Where
	r[path+".mode"] = string(s.Mode)
	r[path+".metric"] = s.Metric
	r[path+".margin"] = s.Margin.String()
	r[path+".min_n"] = strconv.Itoa(s.MinN)
}

func metricNames(e Exam) []string {
	names := make([]string, len(e.Metrics))
	for i, m := range e.Metrics {
		names[i] = m.Name
	}
	return distinct(names)
}

func sliceNames(e Exam) []string {
	names := make([]string, len(e.Slices))
	for i, s := range e.Slices {
		names[i] = s.Name
	}
	return distinct(names)
}

// distinct numbers names that are repeated. The config forbids them; an exam
// from elsewhere may have them.
func distinct(names []string) []string {
	seen := map[string]bool{}
	for i, name := range names {
		for n := 2; seen[names[i]]; n++ {
			names[i] = name + "#" + strconv.Itoa(n)
		}
		seen[names[i]] = true
	}
	return names
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// plain quotes a name or a value that could be mistaken for more than one.
func plain(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func rate(perSecond float64) string {
	if perSecond == 0 {
		return ""
	}
	return strconv.FormatFloat(perSecond, 'f', -1, 64) + "/s"
}

func millis(v float64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64) + "ms"
}

func size(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	units := []string{"B", "kB", "MB", "GB"}
	for bytes%1000 == 0 && len(units) > 1 {
		bytes, units = bytes/1000, units[1:]
	}
	return strconv.FormatInt(bytes, 10) + units[0]
}

func listOf[T any](list []T, text func(T) string) string {
	var parts []string
	for _, v := range list {
		if t := text(v); t != "" {
			parts = append(parts, t)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
