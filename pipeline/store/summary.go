package store

// Summary is what a list of runs shows of a report. It is read as plain JSON,
// so that reports of older and newer releases are shown as far as they go.
type Summary struct {
	Verdict string   `json:"verdict,omitempty"` // or UNCHANGED, of production's own bundle
	Model   string   `json:"model,omitempty"`   // name
	Bundle  string   `json:"bundle,omitempty"`  // digest of the candidate
	Metrics []Metric `json:"metrics,omitempty"`
}

// Metric is a metric's value for the candidate and the baseline; nil where
// there is none.
type Metric struct {
	Name      string   `json:"name"`
	Primary   bool     `json:"primary"`
	Candidate *float64 `json:"candidate"`
	Baseline  *float64 `json:"baseline"`
	Verdict   string   `json:"verdict,omitempty"`
}

// Summary reads the run's report and labels.
func (s Stored) Summary() Summary {
	candidate, _ := s.Report["candidate"].(map[string]any)
	run, _ := s.Report["run"].(map[string]any)
	outcome := text(s.Report["verdict"])
	if unchanged, _ := s.Report["unchanged"].(bool); unchanged && outcome == "PASS" {
		outcome = "UNCHANGED"
	}
	summary := Summary{Verdict: outcome, Model: text(run["model"]), Bundle: text(candidate["bundle"])}
	if summary.Model == "" {
		summary.Model = s.Labels["model"]
	}
	metrics, _ := s.Report["metrics"].([]any)
	for _, element := range metrics {
		metric, ok := element.(map[string]any)
		if !ok || text(metric["name"]) == "" {
			continue
		}
		if against := text(metric["against"]); against != "" && against != "baseline" {
			continue // the same value of the candidate again
		}
		primary, _ := metric["primary"].(bool)
		summary.Metrics = append(summary.Metrics, Metric{
			Name: text(metric["name"]), Primary: primary, Verdict: text(metric["verdict"]),
			Candidate: number(metric["candidate"]), Baseline: number(metric["baseline"]),
		})
	}
	return summary
}

// Primary is the metric that a list shows: the primary one, else the first.
func (s Summary) Primary() (Metric, bool) {
	for _, metric := range s.Metrics {
		if metric.Primary {
			return metric, true
		}
	}
	if len(s.Metrics) > 0 {
		return s.Metrics[0], true
	}
	return Metric{}, false
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

func number(value any) *float64 {
	if v, ok := value.(float64); ok {
		return &v
	}
	return nil
}
