package reuse

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// Version is one version of an environment's manifest.
type Version struct {
	Manifest manifest.Manifest
	// Exam is the one by which this version was promoted, from its evidence;
	// nil where the evidence does not hold it. An exam that is not the one the
	// manifest names counts as none.
	Exam *exam.Exam
}

// Reuse is how often the evaluation data has decided.
type Reuse struct {
	Eval       string  `json:"eval"`       // digest of today's evaluation data
	Confidence float64 `json:"confidence"` // of each bound, by today's exam
	InAll      int     `json:"in_all"`     // promotions that were judged on this data
	InRow      int     `json:"in_row"`     // of these, the latest without another data in between
	Promotions int     `json:"promotions"` // promotions that are known at all
	Unknown    int     `json:"unknown"`    // of these, promotions whose data is not known
	Complete   bool    `json:"complete"`   // the history is known back to its start
}

// Of counts the promotions in a manifest's history, newest first, that were
// judged on the data of today's exam. complete says that the history goes back
// to its start; a shallow clone's does not.
func Of(history []Version, complete bool, today exam.Exam) Reuse {
	w := Reuse{Eval: today.Data.Eval, Confidence: today.Confidence, Complete: complete}
	row := true
	for _, v := range promotions(history) {
		w.Promotions++
		switch {
		case v.Exam == nil || v.Exam.Digest() != v.Manifest.Exam || v.Exam.Data.Eval == "":
			// What is not known is not held against the data, and ends no row.
			w.Unknown++
		case v.Exam.Data.Eval == w.Eval:
			w.InAll++
			if row {
				w.InRow++
			}
		default:
			row = false
		}
	}
	return w
}

// promotions leaves out the versions that no verdict stands behind: an adopted
// model, and one that was there before, which is a rollback or another change
// of the same manifest.
func promotions(history []Version) []Version {
	type decision struct{ bundle, exam, evidence string }
	at := map[decision]int{}
	var out []Version
	for _, v := range history {
		m := v.Manifest
		if m.Sources.Evidence == "" {
			continue
		}
		key := decision{m.Bundle, m.Exam, m.Sources.EvidenceDigest}
		if i, seen := at[key]; seen {
			// The oldest is the promotion; the newer ones only returned to it.
			out[i].Manifest.Bundle = ""
		}
		at[key] = len(out)
		out = append(out, v)
	}
	kept := out[:0]
	for _, v := range out {
		if v.Manifest.Bundle != "" {
			kept = append(kept, v)
		}
	}
	return kept
}

// Verdict is the number of the verdict that today's run gives on this data: 1
// where no promotion used it before.
func (w Reuse) Verdict() int { return w.InAll + 1 }

// Limit is the number of the first verdict on the same data that is warned
// about; see the package comment for the rule.
func (w Reuse) Limit() int {
	alpha := 1 - w.Confidence
	if !(alpha > 0) {
		return math.MaxInt32
	}
	// 0.5/(1-0.95) is a hair over 10 in binary.
	return max(int(math.Ceil(0.5/alpha-1e-9)), 1)
}

// UsedUp reports whether the data has been used too often to be trusted.
func (w Reuse) UsedUp() bool { return w.Verdict() >= w.Limit() }

// Sentence says how often the data has decided.
func (w Reuse) Sentence() string {
	least := ""
	if !w.Complete {
		least = "at least "
	}
	var s string
	switch {
	case w.Promotions == 0 && w.Complete:
		return "The evaluation data has decided no promotion yet."
	case w.Promotions == 0:
		return "The history of the manifest is not here (a shallow clone?), so nobody can say how often the evaluation data has decided."
	case w.InAll == 0:
		s = fmt.Sprintf("The evaluation data has decided none of %s%s", least, plural(w.Promotions, "promotion"))
	default:
		s = fmt.Sprintf("The evaluation data has decided %s%s of %d", least, plural(w.InAll, "promotion"), w.Promotions)
		if w.InRow > 1 {
			s += fmt.Sprintf(", the latest %d in a row", w.InRow)
		}
	}
	if w.Unknown > 0 {
		s += fmt.Sprintf("; of %d the evidence does not tell", w.Unknown)
	}
	return s + "."
}

// Warning says that the data has been used too often and what to do; "" where
// it has not.
func (w Reuse) Warning() string {
	if !w.UsedUp() {
		return ""
	}
	return fmt.Sprintf("%s verdict on the same evaluation data (digest %s): with bounds at %s each, the probability that at least one promotion passed by chance may have reached %s, and tries that were not promoted are not even counted. Judge on data that nobody has seen yet.",
		ordinal(w.Verdict()), digest.Short(w.Eval), percent(w.Confidence), percent(min(float64(w.Verdict())*(1-w.Confidence), 1)))
}

func ordinal(n int) string {
	suffix := "th"
	if n%100/10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func percent(share float64) string { return fmt.Sprintf("%.3g%%", share*100) }
