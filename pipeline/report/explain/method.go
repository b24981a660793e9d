package explain

import (
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// methods say how each way of bounding works, found by a word of the method's
// name or source; the first that fits counts.
var methods = []struct{ word, how string }{
	{"nam and blackwelder", "it asks for each ratio of the two shares whether the rows on which only one model is right speak against it"},
	{"tango", "it asks for each difference whether the rows on which only one of the models is right speak against it; rows on which both are right, or both wrong, tell nothing"},
	{"paired proportions", "it looks at the rows on which only one of the models is right"},
	{"obuchowski", "each positive row is placed among the negative ones by the scores of either model, and the places are summed over groups, which are what is independent"},
	{"delong", "each positive row is placed among the negative ones, and each negative among the positive, by the scores of either model; the places vary from row to row, and so does their difference"},
	{"placement", "each positive row is placed among the negative ones by the scores of either model, and the places are weighted"},
	{"paired t", "the two losses of each row are subtracted, and the interval is that of the mean of these differences"},
	{"rule of three", "the two models answer every row alike, and the bounds are what rows that were not seen could still change"},
	{"crossed variance", "the scatter over seeds and the scatter over rows are told apart and both counted"},
	{"delta method", "the metric is a smooth function of means over rows, so near its value it changes by a known amount for each row, and those amounts have a variance"},
	{"clopper", "it asks for each share how likely as many rows, or as few, would have been right"},
	{"order statistics", "each median lies between two of the sorted losses, and the worse ends of both are taken together"},
	{"wilson", "it asks for each share whether the number of rows that were right speaks against it"},
	{"logit", "the bounds are found on the logit scale, where they cannot leave 0 to 1"},
}

// methodText names the method of an interval, its source, and how it works.
func methodText(ci *report.Interval) string {
	if ci.Method == "" {
		return "The report does not name the method of the interval."
	}
	s := "The interval is by " + string(ci.Method)
	if ci.Source != "" {
		s += fmt.Sprintf(" (%s)", ci.Source)
	}
	all := strings.ToLower(string(ci.Method) + " " + string(ci.Source))
	if name, _, _ := strings.Cut(all, " "); strings.TrimSuffix(name, ",") == "t" {
		return s + ": it is that of the mean over the rows."
	}
	for _, m := range methods {
		if strings.Contains(all, m.word) {
			s += ": " + m.how
			if strings.Contains(all, "over groups") && !strings.Contains(m.how, "group") {
				s += "; the rows of a group are summed before, since only groups are independent"
			}
			break
		}
	}
	if strings.Contains(all, "not narrower than the score interval") {
		s += "; it is widened by what rows that were not seen could be, as far as the number of those that were seen allows them"
	}
	return strings.TrimSuffix(s, ".") + "."
}

// confidenceText says how often each bound holds, and both together.
func confidenceText(ci *report.Interval) string {
	if ci.Sides == 2 {
		return fmt.Sprintf("low..high holds with %s, both sides together.", report.Percent(ci.Confidence))
	}
	return fmt.Sprintf("Each bound holds with %s, so low..high is a %s interval.", report.Percent(ci.Confidence), report.Percent(2*ci.Confidence-1))
}

func (e *explanation) how() {
	m := e.metric
	if m == nil || e.r.Unchanged || (m.CI == nil && m.Value == nil) {
		return
	}
	e.title("How")
	if m.CI != nil {
		e.say(methodText(m.CI), confidenceText(m.CI), scaleText(e.name, m.CI))
		if m.Margin != "" {
			e.say("PASS if low is above -margin, FAIL if high is below it, INCONCLUSIVE if the interval reaches across. Improved if low is above 0.")
		}
	}
	if m.Value != nil {
		text := "The candidate's own value has an interval too: " + strings.ToLower(methodText(m.Value)[:1]) + methodText(m.Value)[1:]
		e.say(text, confidenceText(m.Value), "A floor is kept when the lower bound reaches it and missed when the upper one does not; a ceiling likewise.")
	}
}

func scaleText(name report.Name, ci *report.Interval) string {
	if ci.Scale == report.Ratio {
		return "Its scale is the improvement as a share of the baseline's value, so that a relative margin is held against it directly."
	}
	return fmt.Sprintf("Its scale is the improvement in the unit of %s.", name)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
