package report

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Place is where a report is read. The run's folder is there on the machine
// that made the run, which is the zero Place; a runner's is gone.
type Place struct {
	Artifact string // of the workflow's run: it holds report.json; closed alphabet
	RunID    string // of the workflow's run, digits
	// Base is the branch that trains again once the change is merged, and opens
	// the promotion; "" where this is no pull request.
	Base string
}

// Here reports whether the run's folder is at hand.
func (p Place) Here() bool { return p == Place{} }

// NextAt is Next with what works where the report is read.
func (r *Report) NextAt(p Place) []Step {
	steps := r.Next()
	if p.Here() {
		for i := range steps {
			steps[i].Command = r.located(steps[i].Command)
		}
		return steps
	}
	var out []Step
	for _, s := range steps {
		switch {
		case strings.HasPrefix(s.Command, "dosirak promote "):
			out = append(out, r.mergeStep(p, s)...)
		case strings.HasPrefix(s.Command, "dosirak explain "):
			metric := s.Command[strings.LastIndex(s.Command, " "):]
			s.Command = ""
			if p.fetch() != "" {
				s.Command = p.fetch() + "dosirak explain report/report.json" + metric
			}
			out = append(out, s)
		case strings.HasPrefix(s.Command, "dosirak runs "):
			out = append(out, Step{Text: "Look at the whole report", Command: strings.TrimSuffix(p.fetch(), " && ")})
		default:
			s.Command = r.located(s.Command)
			out = append(out, s)
		}
	}
	return out
}

// typed is what can stand in a command without quotes.
var typed = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_./-]*$`)

// located adds to a command the flags that name the project, so that it can be
// typed at the repository's top. A name that would need quotes is left to the
// reader: it may come from anybody.
func (r *Report) located(command string) string {
	if !strings.HasPrefix(command, "dosirak ") {
		return command
	}
	if folder := string(r.Run.Folder); typed.MatchString(folder) {
		command += " -C " + folder
	}
	ofConfig := strings.HasPrefix(command, "dosirak promote ") || strings.HasPrefix(command, "dosirak run ") || command == "dosirak run"
	if config := string(r.Run.Config); ofConfig && config != "dosirak.yaml" && typed.MatchString(config) {
		command += " --config " + config
	}
	return command
}

// fetch gets the report where somebody types.
func (p Place) fetch() string {
	if p.Artifact == "" || p.RunID == "" {
		return ""
	}
	return fmt.Sprintf("gh run download %s -n %s -D report && ", p.RunID, p.Artifact)
}

// mergeStep is what a proposal is where nobody proposes by hand.
func (r *Report) mergeStep(p Place, s Step) []Step {
	if p.Base == "" {
		return nil // the promotion is its own next step
	}
	text := fmt.Sprintf("Merge: %s trains again and opens the promotion", p.Base)
	if r.ExamChanged() != nil || r.Verdict != verdict.Pass {
		before, _, _ := strings.Cut(s.Text, ", then ")
		text = fmt.Sprintf("%s, then merge: %s trains again, and the promotion waits until a person has acknowledged the exam", before, p.Base)
	}
	return []Step{{Text: text}}
}
