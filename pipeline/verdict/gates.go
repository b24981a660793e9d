package verdict

// Gate is one thing that the verdict of a run rests on: a metric, a slice, the
// proof, a check of the smoke test.
type Gate struct {
	Name    string  // where it stands, for messages
	Verdict Verdict // empty: it was not judged
	// Asked says that the gate has to be judged: without a verdict it is
	// INCONCLUSIVE. Any other gate without a verdict binds nothing.
	Asked bool
	// Alarm says that the gate is silent or rings: only its FAIL binds.
	Alarm bool
}

// Binds returns what the gate lets the run be at best, and whether it says
// anything.
func (g Gate) Binds() (Verdict, bool) {
	switch {
	case g.Alarm && g.Verdict != Fail && (g.Verdict == "" || g.Verdict.Valid()):
		return "", false
	case g.Verdict == "" && g.Asked:
		return Inconclusive, true
	}
	return g.Verdict, g.Verdict != ""
}

// Of is the verdict of a run from its gates: the worst of those that bind.
// Where none does nothing was judged, and that is INCONCLUSIVE.
func Of(gates []Gate) Verdict {
	var binding []Verdict
	for _, g := range gates {
		if v, binds := g.Binds(); binds {
			binding = append(binding, v)
		}
	}
	return Worst(binding...)
}
