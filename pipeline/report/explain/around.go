package explain

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

const maxSlices, maxSeeds, maxChanges = 12, 20, 12

// slices says how the metric fares on subsets of the rows.
func (e *explanation) slices() {
	if e.r.Unchanged {
		return
	}
	var found []*report.Slice
	alarms, gates := 0, 0
	for _, i := range e.r.SliceOrder() {
		s := &e.r.Slices[i]
		if s.Metric != e.name {
			continue
		}
		found = append(found, s)
		switch {
		case s.Verdict == "":
		case s.Mode == report.GateSlice:
			gates++
		default:
			alarms++
		}
	}
	if len(found) == 0 {
		return
	}
	e.title(fmt.Sprintf("On %s of the rows", count(len(found), "slice")))
	var rules []string
	if alarms > 0 {
		rules = append(rules, fmt.Sprintf("%s: an alarm fails only when the loss is significantly beyond its margin, after Holm's correction over all alarms, and is silent otherwise.", capital(count(alarms, "alarm"))))
	}
	if gates > 0 {
		rules = append(rules, fmt.Sprintf("%s: a gate is judged like the metric.", capital(count(gates, "gate"))))
	}
	e.say(rules...)
	for i, s := range found {
		if i == maxSlices {
			e.say(fmt.Sprintf("and %d more", len(found)-maxSlices))
			break
		}
		e.item(report.Mark(s.Verdict), sliceText(s))
	}
}

func sliceText(s *report.Slice) string {
	text := fmt.Sprintf("%s, %s: ", s.Label(), count(s.N, "row"))
	f := s.Comparison().Figures()
	switch {
	case s.CI != nil:
		text += fmt.Sprintf("%s (%s), margin %s", f.Improvement, f.Interval, s.Margin)
	case s.Improvement != nil:
		text += f.Improvement
	case s.Candidate != nil:
		text += "candidate " + f.Candidate
	default:
		text += "no figures"
	}
	if r := s.Remarks(); r != "" {
		text += "; " + r
	}
	return text
}

// seeds says how the metric varies with the seed.
func (e *explanation) seeds() {
	values := func(replicates []report.Replicate) (texts []string, numbers []float64) {
		for i, rep := range replicates {
			v, ok := rep.Metrics[e.name]
			if !ok {
				continue
			}
			text := report.Undefined
			if v != nil {
				text = report.Number(*v)
				numbers = append(numbers, *v)
			}
			if i < maxSeeds {
				texts = append(texts, fmt.Sprintf("seed %d %s", rep.Seed, text))
			}
		}
		if len(replicates) > maxSeeds && len(texts) > 0 {
			texts = append(texts, fmt.Sprintf("and %d more", len(replicates)-maxSeeds))
		}
		return texts, numbers
	}
	own, numbers := values(e.r.Replicates)
	theirs, baseline := values(e.r.BaselineReplicates)
	recipe := e.recipeOf()
	if len(own) == 0 && len(theirs) == 0 && recipe == nil {
		return
	}
	e.title("With other seeds")
	if len(own) > 0 {
		if alike := e.r.SeedsAlike(); alike != "" {
			e.say(fmt.Sprintf("Candidate's recipe: %s.", strings.Join(own, ", ")), alike)
		} else {
			e.say(fmt.Sprintf("Candidate's recipe: %s.", strings.Join(own, ", ")), spreadText(numbers))
		}
	}
	if len(theirs) > 0 {
		e.say(fmt.Sprintf("Baseline's recipe: %s.", strings.Join(theirs, ", ")), spreadText(baseline))
	}
	if sd, ok := deviation(numbers); ok && e.metric != nil && !e.r.Unchanged {
		if se := unitError(e.metric); se > 0 && sd > 0 {
			e.say(fmt.Sprintf("The seed moves the metric %s times as much as the choice of the rows moves the improvement (standard error %s).", report.Short(sd/se), report.Short(se)))
		}
	}
	for i := range e.r.SeedPositions {
		if l := &e.r.SeedPositions[i]; l.Metric == e.name {
			text := sentence(l.Sentence())
			if !strings.HasPrefix(text, "the candidate") {
				text = "the candidate: " + text
			}
			e.say(capital(text))
		}
	}
	e.recipe(recipe)
}

// recipeOf returns the comparison of the recipes by this metric, or nil.
func (e *explanation) recipeOf() *report.Recipe {
	for i := range e.r.Recipes {
		if x := &e.r.Recipes[i]; x.Metric == e.name {
			return x
		}
	}
	return nil
}

// recipe says what the seeds' means say of the recipes.
func (e *explanation) recipe(x *report.Recipe) {
	if x == nil || e.r.Unchanged {
		return
	}
	c := x.Comparison()
	f := c.Figures()
	text := fmt.Sprintf("Recipe against recipe, %s: the means are %s and, of the baseline, %s.", x.Sides(), f.Candidate, f.Baseline)
	if x.Reason != "" {
		text += " The comparison says: " + sentence(string(x.Reason))
	}
	if x.CI == nil {
		e.say(text)
		return
	}
	text += fmt.Sprintf(" The improvement is %s (%s).", f.Improvement, f.Interval)
	switch {
	case x.Verdict == "":
	case x.Improved:
		text += fmt.Sprintf(" By the margin of %s that is %s, and improved.", x.Margin, x.Verdict)
	default:
		text += fmt.Sprintf(" By the margin of %s that is %s.", x.Margin, x.Verdict)
	}
	var degrees string
	if x.DF != nil {
		degrees = fmt.Sprintf("It has %s degrees of freedom.", report.Short(*x.DF))
	}
	scatter := capital(x.Scatter(e.r.Units()))
	if scatter != "" {
		scatter += ": " + x.Narrower(e.r.Units()) + "."
	}
	e.say(text, methodText(x.CI), degrees, scatter)
	if own := e.r.Dissent(x); own != "" {
		e.say(fmt.Sprintf("The candidate's own verdict is %s: that one is of this model, the recipe's of what other seeds give on average.", own))
	}
	e.say(e.r.RecipesNote())
}

func spreadText(values []float64) string {
	sd, ok := deviation(values)
	if !ok {
		return ""
	}
	return fmt.Sprintf("Their standard deviation is %s.", report.Short(sd))
}

// deviation is the standard deviation of a sample of at least two.
func deviation(values []float64) (float64, bool) {
	if len(values) < 2 {
		return 0, false
	}
	var mean, squares float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	sd := math.Sqrt(squares / float64(len(values)-1))
	return sd, !math.IsInf(sd, 0) && !math.IsNaN(sd)
}

// unitError is the standard error of the improvement in the metric's unit, 0
// where it is not known.
func unitError(m *report.Metric) float64 {
	if m.SE == nil || m.CI == nil {
		return 0
	}
	if m.CI.Scale == report.Difference {
		return *m.SE
	}
	if m.Baseline == nil {
		return 0
	}
	return *m.SE * math.Abs(*m.Baseline)
}

// exam says what the exam that promoted production makes of the change.
func (e *explanation) exam() {
	x := e.r.ExamChanged()
	if x == nil || e.r.Unchanged {
		return
	}
	title := "By the exam that promoted production"
	if x.Verdict != "" {
		title += ": " + string(x.Verdict)
	}
	e.title(title)
	e.say(fmt.Sprintf("Today's exam is not the one by which production was promoted (digest %s), so the change is judged by both, and the worse verdict counts. The figures above are today's.", x.Digest.Short()))
	if x.Reason != "" {
		e.say("The reason: " + sentence(string(x.Reason)))
	}
	// What concerns this metric first.
	var mine, others []report.ExamChange
	for _, c := range x.Changes {
		if concerns(string(c.Path), string(e.name)) {
			mine = append(mine, c)
		} else {
			others = append(others, c)
		}
	}
	if len(mine) == 0 {
		e.say(fmt.Sprintf("Nothing of %s itself was changed.", e.name))
	}
	all := append(mine, others...)
	for i, c := range all {
		if i == maxChanges {
			e.say(fmt.Sprintf("and %d more changes", len(all)-maxChanges))
			break
		}
		e.item("·", fmt.Sprintf("%s: %s, now %s", c.Path, changed(c.Old), changed(c.New)))
	}
	if x.Verdict != verdict.Pass {
		e.say("A larger margin of today's does not help there: the old exam asks what it always asked.")
	}
}

// changed is one side of a change, digests shortened to what one compares.
func changed(text report.Text) string {
	if text == "" {
		return "nothing"
	}
	return digests.ReplaceAllString(string(text), "sha256:$1…")
}

var digests = regexp.MustCompile(`sha256:([0-9a-f]{12})[0-9a-f]{52}`)

// concerns reports whether a path of the exam is about a metric. A name with
// other characters than letters, digits, "_" and "-" is quoted in a path.
func concerns(path, metric string) bool {
	for _, name := range []string{metric, `"` + metric + `"`} {
		if path == "metrics."+name || strings.HasPrefix(path, "metrics."+name+".") {
			return true
		}
	}
	return false
}
