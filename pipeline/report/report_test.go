package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

var update = flag.Bool("update", false, "write the golden files and the schema anew")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test with -update once")
	assert.Equal(t, string(want), string(got), "go test with -update writes %s anew", path)
}

func TestEncodeParseGolden(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			text, err := report.Encode(c.Report)
			require.NoError(t, err)
			golden(t, filepath.Join("testdata", c.Name+".json"), text)
			back, err := report.Parse(text, report.DefaultLimits())
			require.NoError(t, err)
			again, err := report.Encode(back)
			require.NoError(t, err)
			assert.Equal(t, string(text), string(again), "parsing and writing again must give the same text")
			assert.NoError(t, validate(t, text))
		})
	}
}

func validate(t *testing.T, text []byte) error {
	t.Helper()
	doc, err := validator.UnmarshalJSON(bytes.NewReader(report.Schema()))
	require.NoError(t, err)
	c := validator.NewCompiler()
	require.NoError(t, c.AddResource("report.schema.json", doc))
	schema, err := c.Compile("report.schema.json")
	require.NoError(t, err)
	v, err := validator.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return schema.Validate(v)
}

// edit changes one place of a good report, given as keys and indices.
func edit(t *testing.T, value any, path ...any) []byte {
	t.Helper()
	text, err := report.Encode(reporttest.Pass())
	require.NoError(t, err)
	var tree any
	require.NoError(t, json.Unmarshal(text, &tree))
	at := tree
	for _, step := range path[:len(path)-1] {
		switch k := step.(type) {
		case string:
			at = at.(map[string]any)[k]
		case int:
			at = at.([]any)[k]
		}
	}
	switch k := path[len(path)-1].(type) {
	case string:
		at.(map[string]any)[k] = value
	case int:
		at.([]any)[k] = value
	}
	out, err := json.Marshal(tree)
	require.NoError(t, err)
	return out
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good, err := report.Encode(reporttest.Pass())
	require.NoError(t, err)
	replace := func(old, new string) []byte {
		require.Contains(t, string(good), old)
		return []byte(strings.Replace(string(good), old, new, 1))
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":                     {nil, "EOF"},
		"not JSON":                  {[]byte("<html>"), "invalid character"},
		"a list":                    {[]byte("[]"), "is not an object"},
		"null":                      {[]byte("null"), "the report: is null"},
		"text after the end":        {append(bytes.Clone(good), "{}"...), "after the report's end"},
		"unknown field":             {edit(t, 1, "metrics", 0, "extra"), "metrics[0].extra: unknown field"},
		"other case":                {replace(`"verdict": "PASS"`, `"Verdict": "PASS"`), "Verdict: unknown field"},
		"repeated key":              {replace(`"unchanged": false`, `"unchanged": false, "unchanged": true`), "unchanged: stands there twice"},
		"null number":               {edit(t, nil, "n"), "n: is null"},
		"text for number":           {edit(t, "7", "n"), "cannot unmarshal string"},
		"other schema":              {edit(t, "dosirak/report/v9", "schema"), "schema: is"},
		"verdict":                   {edit(t, "pass", "verdict"), "verdict: is"},
		"verdict missing":           {replace(`"verdict": "PASS",`, ``), `verdict: is ""`},
		"verdict too good":          {edit(t, "FAIL", "metrics", 0, "verdict"), "verdict: is PASS although metrics[0] (roc_auc) is FAIL"},
		"too good for a check":      {edit(t, "FAIL", "smoke", "checks", 0, "verdict"), "although smoke.checks[0] is FAIL"},
		"too good for an alarm":     {edit(t, "FAIL", "slices", 0, "verdict"), "although slices[0] is FAIL"},
		"too good for the proof":    {edit(t, "FAIL", "determinism", "verdict"), "although determinism is FAIL"},
		"too good for the exam":     {edit(t, "INCONCLUSIVE", "exams", 1, "verdict"), "although exams[1] (promoted) is INCONCLUSIVE"},
		"margin without verdict":    {edit(t, "", "metrics", 0, "verdict"), "verdict: is missing although"},
		"digest":                    {edit(t, "sha256:12", "candidate", "bundle"), "candidate.bundle: is"},
		"digest upper case":         {edit(t, "sha256:"+strings.Repeat("A", 64), "candidate", "bundle"), "candidate.bundle: is"},
		"image":                     {edit(t, "x y@sha256:"+strings.Repeat("a", 64), "candidate", "image"), "candidate.image: is"},
		"commit":                    {edit(t, "main", "run", "commit"), "run.commit: is"},
		"model name":                {edit(t, "a b", "run", "model"), "run.model: is"},
		"model name option":         {edit(t, "-rf", "run", "model"), "run.model: is"},
		"run id path":               {edit(t, "../../x", "run", "id"), "run.id: is"},
		"metric name":               {edit(t, "a|b", "metrics", 0, "name"), "metrics[0].name: is"},
		"replicate metric name":     {edit(t, 0.5, "replicates", 0, "metrics", "a`b"), "not a name"},
		"bidi in text":              {edit(t, "a\u202Eb", "slices", 0, "level"), "slices[0].level: holds the character U+202E"},
		"control in text":           {edit(t, "a\x1b[31m", "slices", 0, "level"), "holds the character U+001B"},
		"newline in prose":          {edit(t, []any{"a\n::error::b"}, "headline"), "headline[0]: holds the character U+000A"},
		"not NFC":                   {edit(t, "e\u0301", "slices", 0, "level"), "normal form C"},
		"long text":                 {edit(t, strings.Repeat("x", 129), "slices", 0, "level"), "129 characters"},
		"probability":               {edit(t, 1.5, "calibration", "candidate", 2, "observed"), "not a probability"},
		"confidence":                {edit(t, 1.0, "run", "confidence"), "not between 0.5 and 1"},
		"interval upside down":      {edit(t, 9.0, "metrics", 0, "ci", "low"), "above high"},
		"sides":                     {edit(t, 3, "metrics", 0, "ci", "sides"), "sides: is 3"},
		"scale":                     {edit(t, "log", "metrics", 0, "ci", "scale"), "scale: is"},
		"margin":                    {edit(t, "a lot", "metrics", 0, "margin"), "margin: is"},
		"margin 100%":               {edit(t, "100%", "metrics", 0, "margin"), "under 100%"},
		"margin negative":           {edit(t, "-0.1", "metrics", 0, "margin"), "margin: is"},
		"negative rows":             {edit(t, -1, "n"), "n: is negative"},
		"negative latency":          {edit(t, -1, "smoke", "latencies", "p99"), "smoke.latencies: is negative"},
		"infinite":                  {replace(`"confidence": 0.95`, `"confidence": 1e999`), "cannot unmarshal number 1e999"},
		"unchanged but other":       {edit(t, true, "unchanged"), "not the same bundle"},
		"mode":                      {edit(t, "off", "run", "mode"), "run.mode: is"},
		"task":                      {edit(t, "ranking", "run", "task"), "run.task: is"},
		"target":                    {edit(t, "cloud", "smoke", "target"), "smoke.target: is"},
		"kind of determinism":       {edit(t, "maybe", "determinism", "kind"), "determinism.kind: is"},
		"kind of change":            {edit(t, "mood", "why_different", "changes", 0, "kind"), "changes[0].kind: is"},
		"moved of classes":          {edit(t, 0.5, "why_different", "flips", "moved"), "why_different.flips.moved: is for regression"},
		"recipe's verdict":          {edit(t, "GOOD", "recipes", 0, "verdict"), "recipes[0].verdict: is"},
		"recipe's seeds":            {edit(t, -1, "recipes", 0, "seeds", "candidate"), "recipes[0].seeds: is negative"},
		"recipe's variance":         {edit(t, -0.1, "recipes", 0, "components", "rows"), "recipes[0].components: is negative"},
		"recipe's margin":           {edit(t, "100%", "recipes", 0, "margin"), "recipes[0].margin: is"},
		"deep":                      {[]byte(strings.Repeat(`{"run":`, 40)), "unknown field"},
		"metrics is an object":      {edit(t, map[string]any{}, "metrics"), "metrics: is not a list"},
		"hostile key is not echoed": {edit(t, 1, "run", "\x1b[31m@all\u202E"), `run.[31m@all: unknown field`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := report.Parse(c.data, report.DefaultLimits())
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.True(t, utf8.ValidString(err.Error()))
			assert.NotContains(t, err.Error(), "\x1b")
		})
	}
}

// A report of an earlier version, kept in Git, can be read; what it says that
// reports have no longer is not written again.
func TestParseReadsReportsOfEarlierVersions(t *testing.T) {
	t.Parallel()
	without, err := report.Encode(reporttest.Pass())
	require.NoError(t, err)
	for name, text := range map[string][]byte{
		"a resampled interval": edit(t, map[string]any{"seed": 20260801, "resamples": 10000, "mc_error": 0.00021, "exact": false}, "metrics", 0, "resampling"),
		"luck":                 edit(t, []any{map[string]any{"metric": "roc_auc", "kind": "usual", "value": 0.6, "low": nil, "high": 0.7}}, "luck"),
	} {
		require.NoError(t, validate(t, text), name)
		r, err := report.Parse(text, report.DefaultLimits())
		require.NoError(t, err, name)
		again, err := report.Encode(r)
		require.NoError(t, err, name)
		assert.Equal(t, string(without), string(again), name)
	}
	r, err := report.Parse(edit(t, map[string]any{"flips": map[string]any{"n": 5, "of": 100, "mended": 3, "broken": 2}, "changes": []any{}}, "why_different"), report.DefaultLimits())
	require.NoError(t, err)
	assert.Equal(t, report.Flips{N: 5, Of: 100, Fixed: 3, Regressed: 2}, *r.WhyDifferent.Flips)
}

// The evidence of the example's production holds a report of an earlier version.
func TestParseReadsTheEvidenceInGit(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/*/deploy/evidence/*/*/report.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		_, err = report.Parse(text, report.DefaultLimits())
		assert.NoError(t, err, file)
	}
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	text, err := report.Encode(reporttest.Pass())
	require.NoError(t, err)
	_, err = report.Parse(text, report.Limits{Bytes: 100, Items: 100, Depth: 16})
	assert.ErrorContains(t, err, "at most 100 are allowed")
	_, err = report.Parse(text, report.Limits{Bytes: 1 << 20, Items: 3, Depth: 16})
	assert.ErrorContains(t, err, "more than 3 items")
	_, err = report.Parse(text, report.Limits{Bytes: 1 << 20, Items: 100, Depth: 2})
	assert.ErrorContains(t, err, "nested deeper than 2 levels")
}

func TestEncodeRefusesNaN(t *testing.T) {
	t.Parallel()
	r := reporttest.Pass()
	nan := math.NaN()
	r.Metrics[0].Candidate = &nan
	_, err := report.Encode(r)
	assert.ErrorContains(t, err, "metrics[0].candidate: is NaN; an undefined number is null")
}

func TestEncodeLeavesTheReportAlone(t *testing.T) {
	t.Parallel()
	r := reporttest.Bare()
	_, err := report.Encode(r)
	require.NoError(t, err)
	assert.Nil(t, r.Slices)
}

func FuzzParse(f *testing.F) {
	for _, c := range reporttest.Cases() {
		text, err := report.Encode(c.Report)
		require.NoError(f, err)
		f.Add(text)
	}
	limits := report.Limits{Bytes: 1 << 20, Items: 1000, Depth: 16}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := report.Parse(data, limits)
		if err != nil {
			return
		}
		text, err := report.Encode(r)
		require.NoError(t, err)
		again, err := report.Parse(text, report.DefaultLimits())
		require.NoError(t, err)
		r.Reasons()
		r.Next()
		for i := range again.Metrics {
			c := again.Metrics[i].Comparison()
			c.Figures()
			if b, ok := c.Bar(report.TextAxis); ok {
				require.Equal(t, 21, utf8.RuneCountInString(b.Cells(21)))
			}
		}
	})
}

// TestSchemaIsCurrent holds the committed schema, in both places, against the
// types and their comments.
func TestSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	const pkg = "github.com/dosirak-ml/dosirak/pipeline/report"
	reflector := jsonschema.Reflector{Anonymous: true, Mapper: leafSchema}
	require.NoError(t, reflector.AddGoComments(pkg, "."))
	// AddGoComments keys by folder; the folder here is the package itself.
	comments := map[string]string{}
	for k, v := range reflector.CommentMap {
		comments[strings.Replace(k, pkg+"/.", pkg, 1)] = v
	}
	reflector.CommentMap = comments
	schema := reflector.Reflect(&report.Report{})
	allowNull(schema, reflect.TypeFor[report.Report](), map[reflect.Type]bool{})
	schema.Title = "dosirak report"
	if name, ok := schema.Definitions["Report"].Properties.Get("schema"); ok {
		name.Const = report.SchemaName
	}
	schema.ID = "https://github.com/dosirak-ml/dosirak/docs/schema/report.schema.json"
	text, err := json.MarshalIndent(schema, "", "  ")
	require.NoError(t, err)
	text = append(text, '\n')
	golden(t, "report.schema.json", text)
	golden(t, "../../docs/schema/report.schema.json", text)
}

// leafSchema gives the schema of types that encoding/json writes otherwise
// than their Go kind says, or that have a closed set of values.
func leafSchema(t reflect.Type) *jsonschema.Schema {
	enum := func(values ...any) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Enum: values} }
	pattern := func(p string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: p} }
	length := func(n uint64) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", MaxLength: &n} }
	switch t.Name() {
	case "Verdict":
		return enum("PASS", "FAIL", "INCONCLUSIVE")
	case "Text":
		return length(128)
	case "Prose":
		return length(600)
	case "Name":
		return pattern(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
	case "Digest":
		return pattern(`^sha256:[0-9a-f]{64}$`)
	case "Image":
		return pattern(`^([A-Za-z0-9][A-Za-z0-9._:/-]{0,254}@)?sha256:[0-9a-f]{64}$`)
	case "Commit":
		return pattern(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	case "Margin":
		return pattern(`^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?%?$`)
	case "Task":
		return enum("binary", "multiclass", "regression")
	case "Mode":
		return enum("gate", "advise")
	case "Against":
		return enum("baseline", "anchor")
	case "Direction":
		return enum("higher", "lower")
	case "Scale":
		return enum("difference", "ratio")
	case "SliceMode":
		return enum("alarm", "gate")
	case "SeedKind":
		return enum("within", "better", "worse", "unknown")
	case "DeterminismKind":
		return enum("identical", "equal-predictions", "within-tolerance", "different", "off")
	case "ExamRole":
		return enum("today", "promoted")
	case "SmokeTarget":
		return enum("container", "process")
	case "FindingKind":
		return enum("rows", "ids", "groups", "time", "group-column")
	case "ChangeKind":
		return enum("parameter", "data", "code", "dependency", "hardware", "seed")
	}
	return nil
}

// allowNull lets every pointer be null: that is how an undefined number is
// written. It also joins the lines of descriptions.
func allowNull(schema *jsonschema.Schema, t reflect.Type, seen map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	def := schema.Definitions[t.Name()]
	def.Description = strings.ReplaceAll(def.Description, "\n", " ")
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		prop, ok := def.Properties.Get(name)
		if !ok {
			continue
		}
		prop.Description = strings.ReplaceAll(prop.Description, "\n", " ")
		switch {
		case f.Type.Kind() == reflect.Pointer:
			description := prop.Description
			prop.Description = ""
			def.Properties.Set(name, &jsonschema.Schema{
				Description: description, OneOf: []*jsonschema.Schema{prop, {Type: "null"}},
			})
		case f.Type.Kind() == reflect.Map && f.Type.Elem().Kind() == reflect.Pointer:
			prop.AdditionalProperties = &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "number"}, {Type: "null"}}}
		}
		allowNull(schema, f.Type, seen)
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	assert.Error(t, validate(t, edit(t, "pass", "verdict")))
	assert.Error(t, validate(t, edit(t, 1, "metrics", 0, "extra")))
	assert.Error(t, validate(t, edit(t, "x", "metrics", 0, "ci", "low")))
	assert.Error(t, validate(t, edit(t, "sha256:1", "candidate", "bundle")))
}

func TestNewText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                  "plain",
		"  two\n\tlines ":        "two lines",
		"e\u0301":                "é",
		"a\u202Eb\u2066c\u200B":  "abc",
		"\x1b[31mred":            "[31mred",
		"bad\xffutf8":            "bad\uFFFDutf8",
		strings.Repeat("x", 200): strings.Repeat("x", 127) + "…",
		"e\u200B\u0301":          "é",
	} {
		assert.Equal(t, want, string(report.NewText(in)))
	}
}

func FuzzNewText(f *testing.F) {
	for _, s := range reporttest.HostileText {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := reporttest.Bare()
		r.Warnings = []report.Prose{report.NewProse(s)}
		r.Run.Config = report.NewText(s)
		_, err := report.Encode(r)
		require.NoError(t, err)
	})
}

func TestFigures(t *testing.T) {
	t.Parallel()
	f := func(v float64) *float64 { return &v }
	diff := func(low, high float64) *report.Interval {
		return &report.Interval{Low: f(low), High: f(high), Confidence: 0.95, Sides: 1, Scale: report.Difference}
	}
	for name, c := range map[string]struct {
		m    report.Metric
		want report.Figures
	}{
		"two digits of the half width": {
			report.Metric{Baseline: f(0.621334), Candidate: f(0.655123), Improvement: f(0.033789), CI: diff(0.026712, 0.040866), Margin: "0.01"},
			report.Figures{Baseline: "0.6213", Candidate: "0.6551", Improvement: "+0.0338", Low: "+0.0267", High: "+0.0409", Interval: "+0.0267..+0.0409", Limit: "-0.01"},
		},
		"a bound just beyond the limit stays beyond it": {
			report.Metric{Baseline: f(0.7), Candidate: f(0.7), Improvement: f(0.0), CI: diff(-0.0100004, 0.01), Margin: "0.01"},
			report.Figures{Baseline: "0.7000000", Candidate: "0.7000000", Improvement: "0.0000000", Low: "-0.0100004", High: "+0.0100000", Interval: "-0.0100004..+0.0100000", Limit: "-0.01"},
		},
		"ratio": {
			report.Metric{Baseline: f(2), Candidate: f(2.1), Improvement: f(-0.1), Margin: "2%",
				CI: &report.Interval{Low: f(-0.0712), High: f(-0.0288), Confidence: 0.95, Sides: 1, Scale: report.Ratio}},
			report.Figures{Baseline: "2.000", Candidate: "2.100", Improvement: "-5.0%", Low: "-7.1%", High: "-2.9%", Interval: "-7.1..-2.9%", Limit: "-2%"},
		},
		"large": {
			report.Metric{Baseline: f(12345.678), Candidate: f(12300.1), Improvement: f(45.578), CI: diff(-20, 110)},
			report.Figures{Baseline: "12346", Candidate: "12300", Improvement: "+46", Low: "-20", High: "+110", Interval: "-20..+110"},
		},
		"undefined": {report.Metric{}, report.Figures{Baseline: "n/a", Candidate: "n/a", Improvement: "n/a", Interval: "n/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, c.m.Comparison().Figures())
		})
	}
	assert.Equal(t, "18,000", report.RoundedUp(17_432))
	assert.Equal(t, "1,234,567", report.Count(1_234_567))
	assert.Equal(t, "15 MB", report.Bytes(14_812_160))
	assert.Equal(t, "6.2 MB", report.Bytes(6_204_931))
	assert.Equal(t, "999 B", report.Bytes(999))
	assert.Equal(t, "2.14 ms", report.Millis(2.14))
	assert.Equal(t, "41 ms", report.Millis(41))
	assert.Equal(t, "0.00012", report.Short(0.00012345))
	assert.Equal(t, "90%", report.Percent(2*0.95-1))
}

// TestBarShowsTheVerdict: whatever the rounding, the limit's mark lies on the
// side of the interval where it really is.
func TestBarShowsTheVerdict(t *testing.T) {
	t.Parallel()
	f := func(v float64) *float64 { return &v }
	for _, low := range []float64{-1.9, -1.2, -1.0001, -0.9999, -0.95, -0.5, 0.1, 1.7} {
		for _, width := range []float64{0.01, 0.3, 1.5} {
			m := report.Metric{Improvement: f((low + width/2) * 0.01), Margin: "0.01",
				CI: &report.Interval{Low: f(low * 0.01), High: f((low + width) * 0.01), Confidence: 0.95, Sides: 1, Scale: report.Difference}}
			b, ok := m.Comparison().Bar(report.TextAxis)
			require.True(t, ok)
			cells := []rune(b.Cells(21))
			limit, first, last := -1, -1, -1
			for i, r := range cells {
				switch r {
				case '┊':
					limit = i
				case '━', '●', '◀', '▶':
					if first < 0 {
						first = i
					}
					last = i
				}
			}
			switch {
			case low > -1:
				assert.Less(t, limit, first, "%v %v %s", low, width, string(cells))
			case low+width < -1:
				assert.Greater(t, limit, last, "%v %v %s", low, width, string(cells))
			}
		}
	}
}

func TestReasonsAndSteps(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"Not worse than the baseline by more than the margin on any of 5 metrics; better on roc_auc, log_loss, brier, f1."}, reporttest.Pass().Reasons())
	fail := reporttest.Fail().Reasons()
	require.Len(t, fail, 2)
	assert.Equal(t, "log_loss is worse than the baseline by 3.19% (-3.98..-2.40%), beyond the margin of 2%.", fail[0])
	assert.Contains(t, fail[1], "origin = JFK, roc_auc is worse")
	inconclusive := reporttest.Inconclusive()
	assert.Contains(t, inconclusive.Reasons()[0], "reaches across the margin of 0.01; about 200,000 rows would tell")
	assert.Equal(t, "To tell roc_auc, evaluate on about 200,000 rows, or accept a margin of 0.044", inconclusive.Next()[0].Text)
	grouped := reporttest.Grouped()
	assert.Contains(t, grouped.Reasons()[0], "; about 880 groups would tell.")
	assert.Equal(t, "To tell roc_auc, evaluate on about 880 groups, or accept a margin of 0.031", grouped.Next()[0].Text)
	grouped.Groups = 900 // enough for an unchanged model: its mde is no way out
	grouped.Metrics[0].MDE = ptr(0.0099)
	assert.NotContains(t, grouped.Reasons()[0], "would tell")
	assert.Equal(t, "To tell roc_auc, evaluate on more groups", grouped.Next()[0].Text)
	assert.Equal(t, "dosirak promote 20260801-1200-3f9a1c --environment production", reporttest.Pass().Next()[0].Command)
	assert.Equal(t, "low..high is a 90% interval: each bound 95%.", reporttest.Pass().IntervalNote())
	floor := report.Metric{Name: "accuracy", Candidate: ptr(0.6212), Floor: ptr(0.7), Verdict: verdict.Fail,
		Value: &report.Interval{Low: ptr(0.6131), High: ptr(0.6293), Confidence: 0.95, Sides: 1, Scale: report.Difference}}
	assert.Equal(t, "accuracy is 0.6212 (0.6131..0.6293), under its floor of 0.7.", reporttest.Pass().MetricSentence(&floor))
	floor.Floor, floor.Ceiling, floor.Verdict = nil, ptr(0.62), verdict.Inconclusive
	assert.Equal(t, "accuracy is inconclusive: its value 0.6212 (0.6131..0.6293) reaches across its ceiling of 0.62.", reporttest.Pass().MetricSentence(&floor))
	assert.Equal(t, "UNCHANGED", reporttest.Unchanged().Outcome())
	assert.Equal(t, verdict.Fail, reporttest.ExamChanged().Verdict)
	assert.Contains(t, reporttest.ExamChanged().Reasons()[0], "By the exam that promoted production the verdict is FAIL")
	assert.Contains(t, reporttest.SmokeFailed().Reasons()[0], "Smoke check golden answers failed: row 7")
	assert.Contains(t, reporttest.Irreproducible().Reasons()[0], "two different models, answers differ by up to 0.042")
}

func ptr[T any](v T) *T { return &v }

func BenchmarkParse(b *testing.B) {
	text, err := report.Encode(reporttest.ManySlices(200, 10))
	require.NoError(b, err)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := report.Parse(text, report.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}
