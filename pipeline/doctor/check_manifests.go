package doctor

import "context"

// checkManifests looks whether what production runs can be had as a baseline.
func checkManifests(_ context.Context, s Subject) []Finding {
	var out []Finding
	for _, m := range s.Manifests {
		switch {
		case m.Err != nil:
			out = append(out, fail("evaluate, compare", "restore it from the commit that promoted it", "%s: %v", m.Path, m.Err))
		case !m.Present:
			out = append(out, warn("", "the first run is judged by its floors; or `dosirak adopt MODEL --environment "+m.Environment+"` makes what runs today the baseline", "%s runs nothing yet: there is no %s", m.Environment, m.Path))
		default:
			out = append(out, ok("%s runs %.19s…, and its bundle is there", m.Environment, m.Bundle)...)
		}
	}
	return out
}
