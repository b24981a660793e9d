package report

// Proposal is where the model of a report is proposed; the zero value: nowhere.
type Proposal struct {
	Branch  string
	Address string // of the pull request; "" without one
}

// Taken returns the steps once the proposal was made: to merge it is what is
// left of proposing.
func (p Proposal) Taken(steps []Step) []Step {
	if p == (Proposal{}) {
		return steps
	}
	out := []Step{}
	for _, s := range steps {
		if !s.Proposes() {
			out = append(out, s)
		}
	}
	step := Step{Text: "This model is proposed; to promote it, merge " + p.Address}
	if p.Address == "" {
		step = Step{Text: "This model is proposed on the branch " + p.Branch + "; to promote it, merge that branch"}
		if typed.MatchString(p.Branch) {
			step = Step{Text: "This model is proposed; to promote it, merge its branch", Command: "git merge " + p.Branch}
		}
	}
	return append(out, step)
}
