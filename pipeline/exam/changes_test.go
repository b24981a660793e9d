package exam_test

import (
	"reflect"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func flights() exam.Exam {
	margin, floor, ceiling := exam.Margin{Value: 0.01}, 0.7, 0.5
	return exam.Exam{
		Schema: exam.Schema, Task: exam.Binary,
		Data: exam.Data{Eval: "sha256:aa", Label: "delayed", Positive: "1", Features: []string{"hour", "day"}, ID: "id", Group: "plane", Weight: "w", Time: "t", Columns: map[string]string{"hour": "sha256:h", "delayed": "sha256:d"}},
		Metrics: []exam.Metric{
			{Name: "roc_auc", Direction: exam.Higher, Margin: &margin, Primary: true},
			{Name: "accuracy", Direction: exam.Higher, Margin: &margin, Floor: &floor},
			{Name: "log_loss", Direction: exam.Lower, Ceiling: &ceiling, Command: "./loss"},
		},
		Slices: []exam.Slice{
			{Name: "origin", Column: "origin", Mode: exam.Alarm, Metric: "roc_auc", Margin: margin, MinN: 100},
			{Name: "long-haul", Where: "distance > 1500", Mode: exam.Gate, Metric: "roc_auc", Margin: margin, MinN: 50},
		},
		Confidence: 0.95, Seeds: []int64{1, 2, 3}, Reproduce: "bitwise",
		SLO:  exam.SLO{RatePerSecond: 200, P99Millis: 20, ReadyMillis: 2000, ImageBytes: 50_000_000, MemoryBytes: 256 << 20},
		When: exam.NotWorse,
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	assert.Empty(t, exam.Changes(flights(), flights()))
	for _, c := range []struct {
		name   string
		change func(e *exam.Exam)
		want   []exam.Change
	}{
		{"margin", func(e *exam.Exam) { e.Metrics[0].Margin = &exam.Margin{Value: 0.02, Relative: true} }, []exam.Change{{"metrics.roc_auc.margin", "0.01", "2%"}}},
		{"margin removed", func(e *exam.Exam) { e.Metrics[0].Margin = nil }, []exam.Change{{"metrics.roc_auc.margin", "0.01", ""}}},
		{"floor", func(e *exam.Exam) { f := 0.6; e.Metrics[1].Floor = &f }, []exam.Change{{"metrics.accuracy.floor", "0.7", "0.6"}}},
		{"primary", func(e *exam.Exam) { e.Metrics[0].Primary, e.Metrics[1].Primary = false, true }, []exam.Change{
			{"metrics.accuracy.primary", "", "true"}, {"metrics.roc_auc.primary", "true", ""},
		}},
		{"metric removed", func(e *exam.Exam) { e.Metrics = e.Metrics[:2] }, []exam.Change{
			{"metrics.log_loss", "{ceiling: 0.5, command: ./loss, direction: lower}", ""},
		}},
		{"metric added", func(e *exam.Exam) { e.Metrics = append(e.Metrics, exam.Metric{Name: "pinball_0.9"}) }, []exam.Change{
			{`metrics."pinball_0.9"`, "", "{}"},
		}},
		{"metrics swapped", func(e *exam.Exam) { e.Metrics[0], e.Metrics[1] = e.Metrics[1], e.Metrics[0] }, []exam.Change{
			{"metrics", "[roc_auc, accuracy, log_loss]", "[accuracy, roc_auc, log_loss]"},
		}},
		{"slice renamed", func(e *exam.Exam) { e.Slices[0].Name = "airport" }, []exam.Change{
			{"slices.airport", "", "{column: origin, margin: 0.01, metric: roc_auc, min_n: 100, mode: alarm}"},
			{"slices.origin", "{column: origin, margin: 0.01, metric: roc_auc, min_n: 100, mode: alarm}", ""},
		}},
		{"slices removed", func(e *exam.Exam) { e.Slices = nil }, []exam.Change{
			{"slices.long-haul", "{margin: 0.01, metric: roc_auc, min_n: 50, mode: gate, where: distance > 1500}", ""},
			{"slices.origin", "{column: origin, margin: 0.01, metric: roc_auc, min_n: 100, mode: alarm}", ""},
		}},
		{"slice condition", func(e *exam.Exam) { e.Slices[1].Where = "distance > 3000" }, []exam.Change{{"slices.long-haul.where", "distance > 1500", "distance > 3000"}}},
		{"data and seeds", func(e *exam.Exam) { e.Data.Eval, e.Seeds, e.Confidence = "sha256:bb", []int64{4}, 0.8 }, []exam.Change{
			{"confidence", "0.95", "0.8"}, {"data.eval", "sha256:aa", "sha256:bb"}, {"train.seeds", "[1, 2, 3]", "[4]"},
		}},
		{"a column came, one went, one was altered", func(e *exam.Exam) {
			e.Data.Columns = map[string]string{"delayed": "sha256:e", "tenure": "sha256:t"}
		}, []exam.Change{
			{"data.columns.delayed", "sha256:d", "sha256:e"}, {"data.columns.hour", "present", ""}, {"data.columns.tenure", "", "present"},
		}},
		{"an older exam names no columns", func(e *exam.Exam) { e.Data.Columns = nil }, nil},
		{"levels of service", func(e *exam.Exam) { e.SLO = exam.SLO{RatePerSecond: 0.5, ImageBytes: 1536} }, []exam.Change{
			{"serve.slo.image_size", "50MB", "1536B"}, {"serve.slo.memory", "268435456B", ""}, {"serve.slo.p99", "20ms", ""}, {"serve.slo.rate", "200/s", "0.5/s"}, {"serve.slo.ready", "2000ms", ""},
		}},
	} {
		e := flights()
		c.change(&e)
		assert.Equal(t, c.want, exam.Changes(flights(), e), c.name)
	}
}

// No field of the exam can be altered without a row that says so.
func TestChangesNamesEveryField(t *testing.T) {
	t.Parallel()
	var alter func(path string, at func(e *exam.Exam) reflect.Value)
	alter = func(path string, at func(e *exam.Exam) reflect.Value) {
		e := flights()
		v := at(&e)
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if name := v.Type().Field(i).Name; name != "Schema" {
					alter(path+"."+name, func(e *exam.Exam) reflect.Value { return at(e).Field(i) })
				}
			}
			return
		case reflect.Slice:
			for i := range v.Len() {
				alter(path+"[]", func(e *exam.Exam) reflect.Value { return at(e).Index(i) })
			}
			return
		case reflect.Pointer:
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			} else {
				v.SetZero()
			}
		case reflect.Map:
			v.Set(reflect.ValueOf(map[string]string{"hour": "sha256:h", "delayed": "sha256:x"}))
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Float64:
			v.SetFloat(v.Float() + 0.25)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		default:
			require.Fail(t, "an exam has a field of kind "+v.Kind().String(), path)
		}
		require.NotEqual(t, flights().Digest(), e.Digest(), path)
		assert.NotEmpty(t, exam.Changes(flights(), e), path)
		assert.NotEmpty(t, exam.Changes(e, flights()), path)
	}
	alter("exam", func(e *exam.Exam) reflect.Value { return reflect.ValueOf(e).Elem() })
}

// There are changes exactly when the digests differ.
func TestChangesAgreesWithDigest(t *testing.T) {
	t.Parallel()
	name := rapid.SampledFrom([]string{"a", "a.margin", "a-b", "b", "", "a#2", "a, b"})
	draw := func(t *rapid.T, label string) exam.Exam {
		e := exam.Exam{Schema: exam.Schema, Confidence: 0.9}
		e.Data.Features = rapid.SliceOfN(name, 0, 3).Draw(t, label+"features")
		e.Seeds = rapid.SliceOfN(rapid.Int64Range(0, 2), 0, 2).Draw(t, label+"seeds")
		for range rapid.IntRange(0, 3).Draw(t, label+"metrics") {
			m := exam.Metric{Name: name.Draw(t, label+"name"), Primary: rapid.Bool().Draw(t, label+"primary")}
			if rapid.Bool().Draw(t, label+"margin") {
				m.Margin = &exam.Margin{}
			}
			e.Metrics = append(e.Metrics, m)
		}
		for range rapid.IntRange(0, 2).Draw(t, label+"slices") {
			e.Slices = append(e.Slices, exam.Slice{Name: name.Draw(t, label+"slice"), Where: name.Draw(t, label+"where")})
		}
		return e
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a "), draw(t, "b ")
		require.Equal(t, a.Digest() == b.Digest(), len(exam.Changes(a, b)) == 0, "%v", exam.Changes(a, b))
		require.Empty(t, exam.Changes(a, a))
	})
}

// Rows that were all replaced are one line for a reader, not one a column.
func TestChangesOfManyColumns(t *testing.T) {
	t.Parallel()
	columns := func(suffix string) exam.Exam {
		e := exam.Exam{Data: exam.Data{Columns: map[string]string{}}}
		for i := range 20 {
			e.Data.Columns[strconv.Itoa(i)] = "sha256:" + suffix
		}
		return e
	}
	assert.Equal(t, []exam.Change{{"data.columns", "values of 20 columns", "20 of them hold other values"}}, exam.Changes(columns("a"), columns("b")))
}

func TestDiffering(t *testing.T) {
	t.Parallel()
	old := exam.Data{Eval: "sha256:old", Label: "y", ID: "id", Columns: map[string]string{"y": "1", "id": "2", "a": "3", "b": "4"}}
	table := func(columns map[string]string) exam.Data { return exam.Data{Eval: "sha256:new", Columns: columns} }
	for name, c := range map[string]struct {
		table exam.Data
		names []string
		want  []string
	}{
		"the same file":               {exam.Data{Eval: "sha256:old"}, []string{"y", "a"}, nil},
		"a column more":               {table(map[string]string{"y": "1", "id": "2", "a": "3", "b": "4", "c": "5"}), []string{"y", "id", "a", "c"}, nil},
		"a column that nobody reads":  {table(map[string]string{"y": "1", "id": "2", "a": "3", "b": "9"}), []string{"y", "id", "a"}, nil},
		"other labels":                {table(map[string]string{"y": "9", "id": "2", "a": "3", "b": "4"}), []string{"y", "id", "a"}, []string{"y"}},
		"a column less":               {table(map[string]string{"y": "1", "id": "2"}), []string{"b", "a", "y", "a"}, []string{"a", "b"}},
		"another file of old release": {exam.Data{Eval: "sha256:new"}, []string{"y"}, []string{"y"}},
	} {
		assert.Equal(t, c.want, old.Differing(c.table, c.names), name)
	}
	assert.Equal(t, []string{"y"}, exam.Data{Eval: "sha256:old"}.Differing(table(map[string]string{"y": "1"}), []string{"y"}), "an older exam knows its file as a whole only")
	assert.Equal(t, []string{"y", "id"}, old.Roles())
}
