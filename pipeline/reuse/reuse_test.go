package reuse

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

func examOn(eval string) exam.Exam {
	return exam.Exam{Confidence: 0.95, Data: exam.Data{Eval: eval}}
}

// version is a manifest that promoted a bundle by the exam.
func version(bundle string, e exam.Exam) Version {
	return Version{Exam: &e, Manifest: manifest.Manifest{
		Bundle: bundle, Exam: e.Digest(), Sources: manifest.Sources{Evidence: "evidence/" + bundle, EvidenceDigest: "of " + bundle},
	}}
}

// history makes versions of a text, newest first: a letter is a promotion on
// the data of that name, "-" an adopted model, "?" one whose exam is lost,
// "!" one whose exam is not the one that the manifest names, "<" a rollback
// to the version that follows the next.
func history(text string) []Version {
	var out []Version
	for i, c := range text {
		v := version(strings.Repeat("b", i+1), examOn(string(c)))
		switch c {
		case '-':
			v.Manifest.Sources = manifest.Sources{}
		case '?':
			v.Exam = nil
		case '!':
			other := examOn("a")
			v.Exam = &other
		}
		out = append(out, v)
	}
	for i, c := range text {
		if c == '<' {
			out[i] = out[i+2]
		}
	}
	return out
}

func TestOf(t *testing.T) {
	t.Parallel()
	wider := examOn("a")
	wider.Confidence = 0.9
	for name, c := range map[string]struct {
		history                         string
		inAll, inRow, promotions, empty int
		sentence                        string
	}{
		"nothing":                      {"", 0, 0, 0, 0, "The evaluation data has decided no promotion yet."},
		"adopted":                      {"-", 0, 0, 0, 0, "The evaluation data has decided no promotion yet."},
		"other data":                   {"bc", 0, 0, 2, 0, "The evaluation data has decided none of 2 promotions."},
		"once":                         {"a", 1, 1, 1, 0, "The evaluation data has decided 1 promotion of 1."},
		"in a row":                     {"aaab", 3, 3, 4, 0, "The evaluation data has decided 3 promotions of 4, the latest 3 in a row."},
		"returned to":                  {"abaa", 3, 1, 4, 0, "The evaluation data has decided 3 promotions of 4."},
		"given up":                     {"baa", 2, 0, 3, 0, "The evaluation data has decided 2 promotions of 3."},
		"a rollback judges nothing":    {"<aaa", 3, 3, 3, 0, "The evaluation data has decided 3 promotions of 3, the latest 3 in a row."},
		"lost evidence":                {"a?a", 2, 2, 3, 1, "The evaluation data has decided 2 promotions of 3, the latest 2 in a row; of 1 the evidence does not tell."},
		"evidence of another manifest": {"!a", 1, 1, 2, 1, "The evaluation data has decided 1 promotion of 2; of 1 the evidence does not tell."},
		"an adopted one between":       {"a-a", 2, 2, 2, 0, "The evaluation data has decided 2 promotions of 2, the latest 2 in a row."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := Of(history(c.history), true, examOn("a"))
			assert.Equal(t, Reuse{Eval: "a", Confidence: 0.95, InAll: c.inAll, InRow: c.inRow, Promotions: c.promotions, Unknown: c.empty, Complete: true}, w)
			assert.Equal(t, c.sentence, w.Sentence())
			assert.Equal(t, c.inAll+1, w.Verdict())
			assert.Equal(t, w, Of(append(history(c.history), history(c.history)...), true, examOn("a")), "the same versions again are no promotions")
		})
	}
	// Another margin or confidence does not make old rows new.
	assert.Equal(t, 2, Of(history("aa"), true, wider).InAll)
}

func TestShallowHistory(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "The evaluation data has decided at least 1 promotion of 1.", Of(history("a"), false, examOn("a")).Sentence())
	assert.Contains(t, Of(nil, false, examOn("a")).Sentence(), "nobody can say")
}

func TestWarning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		confidence float64
		limit      int
	}{{0.95, 10}, {0.99, 50}, {0.9, 5}, {0.975, 20}, {0.51, 2}, {0.9999, 5000}} {
		today := examOn("a")
		today.Confidence = c.confidence
		for _, promotions := range []int{c.limit - 2, c.limit - 1} {
			w := Of(history(strings.Repeat("a", promotions)), true, today)
			assert.Equal(t, c.limit, w.Limit())
			assert.Equal(t, promotions == c.limit-1, w.UsedUp(), "%v, %d promotions", c.confidence, promotions)
			assert.Equal(t, w.UsedUp(), w.Warning() != "")
		}
	}
	today := examOn("sha256:" + strings.Repeat("e", 64))
	w := Reuse{Eval: today.Data.Eval, Confidence: 0.95, InAll: 20}
	assert.Equal(t, "21st verdict on the same evaluation data (digest eeeeeeeeeeee): with bounds at 95% each, the probability that at least one promotion passed by chance may have reached 100%, and tries that were not promoted are not even counted. Judge on data that nobody has seen yet.", w.Warning())
	assert.False(t, Reuse{Confidence: 1}.UsedUp(), "a confidence that no exam has")
}

func TestOrdinal(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 10: "10th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 102: "102nd", 111: "111th"} {
		assert.Equal(t, want, ordinal(n))
	}
}
