package doctor

import "context"

// checkConfig looks whether the config can be used.
func checkConfig(_ context.Context, s Subject) []Finding {
	if s.ConfigErr != nil {
		return []Finding{fail(everything, "`dosirak schema config` describes what may stand there", "%v", s.ConfigErr)}
	}
	return ok("model %s, environments %s", s.Config.Model, list(s.Config.Environments))
}
