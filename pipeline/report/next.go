package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Step is something to do next, with the command that does it where there is
// one.
type Step struct {
	Text    string
	Command string
}

// Proposes reports whether s makes a promotion's proposal.
func (s Step) Proposes() bool { return strings.HasPrefix(s.Command, "dosirak promote ") }

// ComparisonID is the id in the report of two predictions files that were
// compared without a run: no command can take it up.
const ComparisonID Name = "compare"

// AcceptClaims is the label by which a maintainer lets a fork's word about its
// own training count.
const AcceptClaims = "dosirak/accept-claims"

// AcceptExam is the label by which a maintainer accepts that production's exam
// cannot be answered any more, or acknowledges another exam of a promotion.
const AcceptExam = "dosirak/accept-exam"

// Next says what to do next. Commands hold names of the closed alphabet and
// numbers only, so they can be copied into a shell.
func (r *Report) Next() []Step {
	steps := r.next()
	if r.Run.ID == ComparisonID {
		steps = slices.DeleteFunc(steps, func(s Step) bool { return s.Command != "" })
	}
	return steps
}

func (r *Report) next() []Step {
	var steps []Step
	if r.Unchanged && r.Verdict == verdict.Pass {
		if r.ExamChanged() != nil {
			return []Step{{Text: "The model is the one in production; to hold it by the changed exam from now on, look at the changes, then propose it", Command: r.promoteCommand() + " --acknowledge-exam"}}
		}
		return []Step{{Text: "Nothing to do."}}
	}
	if r.Acceptable() && !r.ExamChanged().Accepted {
		return []Step{{Text: "The exam of production cannot be answered any more: look at why and at the changes, then accept today's comparison, which both models did answer: on a pull request with the label " + AcceptExam + ", then judge it again; on a laptop with", Command: r.promoteCommand() + " --acknowledge-exam"}}
	}
	if d := r.Determinism; d != nil && d.Claimed && d.Verdict == verdict.Inconclusive {
		steps = append(steps, Step{Text: "A maintainer who has read the change can let its word count with the label " + AcceptClaims + ", or push its branch to this repository, where it is trained by somebody known; once merged it is trained and proved in any case"})
	}
	if d := r.Determinism; d != nil && d.Verdict == verdict.Fail {
		text := "Make training reproducible, or say in `train.reproduce` what is enough"
		if d.Hint != "" {
			text = strings.ToUpper(string(d.Hint[:1])) + string(d.Hint[1:])
		}
		steps = append(steps, Step{Text: strings.TrimSuffix(text, ".")})
	}
	if e := r.Export; e != nil && e.Verdict == verdict.Fail {
		steps = append(steps, Step{Text: "Mend the export, so that the sealed model says what the trained one said: docs/trainer.md names the converters' traps"})
	}
	for _, f := range r.Leakage {
		if f.Verdict == verdict.Inconclusive {
			steps = append(steps, Step{Text: leakageStep(f.Kind)})
			break
		}
	}
	decided := r.decidingSlice()
	if decided != nil {
		steps = append(steps, Step{
			Text:    "A slice decided: see what was tested of it and what would change the verdict",
			Command: fmt.Sprintf("dosirak explain %s %s", r.Run.ID, decided.Metric),
		})
	}
	for _, i := range r.MetricOrder() {
		if decided != nil {
			break // a metric that is no worse than the verdict's own reason is not what to do next
		}
		if m := &r.Metrics[i]; m.Verdict == verdict.Fail || m.Verdict == verdict.Inconclusive {
			if m.Verdict == verdict.Inconclusive {
				steps = append(steps, r.inconclusiveStep(m)...)
			}
			steps = append(steps, Step{
				Text:    "See what was tested and what would change the verdict",
				Command: fmt.Sprintf("dosirak explain %s %s", r.Run.ID, m.Name),
			})
			break
		}
	}
	if len(steps) == 0 && r.Verdict != verdict.Pass {
		return []Step{r.lastResort()}
	}
	if r.Verdict == verdict.Pass {
		command, text := r.promoteCommand(), "Propose this model"
		if r.ExamChanged() != nil {
			text, command = "The exam was changed: look at the changes, then propose this model", command+" --acknowledge-exam"
		}
		steps = append(steps, Step{Text: text, Command: command})
	}
	return steps
}

// decidingSlice is the slice that made the verdict what it is where no metric
// did: the gate to speak of.
func (r *Report) decidingSlice() *Slice {
	s := r.worstSlice()
	if s == nil || !s.Matters() || s.Verdict != r.Verdict {
		return nil
	}
	for i := range r.Metrics {
		if r.Metrics[i].Verdict == r.Verdict {
			return nil
		}
	}
	return s
}

// leakageStep says how the two tables are told apart again.
func leakageStep(kind FindingKind) string {
	switch kind {
	case "groups":
		return "Split training and evaluation data by group, so that no group is in both"
	case "time":
		return "Let the evaluation data begin after the training data end"
	}
	return "Take the rows that both tables have out of one of them: a model is judged on rows that it was not trained on"
}

// promoteCommand proposes the model of this run.
func (r *Report) promoteCommand() string {
	command := fmt.Sprintf("dosirak promote %s", r.Run.ID)
	if r.Run.Environment != "" {
		command += " --environment " + string(r.Run.Environment)
	}
	return command
}

// lastResort is the step where no metric and no proof says what to do.
func (r *Report) lastResort() Step {
	if r.smokeFailed() {
		return Step{Text: "Test the server again once it is fixed", Command: "dosirak run"}
	}
	if s := r.worstSlice(); s != nil && s.Matters() {
		return Step{Text: "See what was tested and what would change the verdict", Command: fmt.Sprintf("dosirak explain %s %s", r.Run.ID, s.Metric)}
	}
	if r.First() {
		return Step{Text: "Give the metrics floors or ceilings in dosirak.yaml: there is no baseline to compare a first model with"}
	}
	return Step{Text: "Look at the whole run", Command: fmt.Sprintf("dosirak runs show %s", r.Run.ID)}
}

// inconclusiveStep says what would tell. Where the data is enough for an
// unchanged model to pass, neither its mde nor a number of rows is a way out.
func (r *Report) inconclusiveStep(m *Metric) []Step {
	var ways []string
	if enough := r.WouldTell(m); enough != "" {
		ways = append(ways, "evaluate on "+enough)
	}
	if m.MarginTooSmall() {
		ways = append(ways, fmt.Sprintf("accept a margin of %s", m.CI.Scaled(*m.MDE)))
	}
	if len(ways) == 0 {
		if m.Comparison().byMargin() != verdict.Inconclusive {
			return nil
		}
		ways = []string{"evaluate on more " + r.Units()}
	}
	return []Step{{Text: "To tell " + string(m.Name) + ", " + strings.Join(ways, ", or ")}}
}

func (r *Report) smokeFailed() bool {
	if r.Smoke == nil {
		return false
	}
	for _, c := range r.Smoke.Checks {
		if c.Verdict == verdict.Fail {
			return true
		}
	}
	return false
}
