package promote

import (
	"fmt"
	"strings"
)

// Trailers are the lines at the end of the commit message that carry the
// state of the proposal, in the form of git interpret-trailers.
type Trailers struct {
	Model       string `json:"model"`
	Environment string `json:"environment"`
	Bundle      string `json:"bundle"`
	Exam        string `json:"exam"`
	Replaces    string `json:"replaces,omitempty"`
	Verdict     string `json:"verdict"`
	Source      string `json:"source,omitempty"` // commit that trained the candidate
}

func (t *Trailers) fields() []struct {
	key   string
	value *string
} {
	return []struct {
		key   string
		value *string
	}{
		{"Dosirak-Model", &t.Model},
		{"Dosirak-Environment", &t.Environment},
		{"Dosirak-Bundle", &t.Bundle},
		{"Dosirak-Exam", &t.Exam},
		{"Dosirak-Replaces", &t.Replaces},
		{"Dosirak-Verdict", &t.Verdict},
		{"Dosirak-Source", &t.Source},
	}
}

// String returns one line for each trailer that has a value.
func (t Trailers) String() string {
	var b strings.Builder
	for _, f := range t.fields() {
		if *f.value != "" {
			fmt.Fprintf(&b, "%s: %s\n", f.key, *f.value)
		}
	}
	return b.String()
}

// ParseTrailers reads the trailers of a commit message. A message whose last
// paragraph does not name a bundle is not one of ours: ok is false.
func ParseTrailers(message string) (t Trailers, ok bool) {
	text := strings.TrimSpace(message)
	last := text[strings.LastIndex(text, "\n\n")+1:]
	values := map[string]string{}
	for line := range strings.Lines(last) {
		if key, value, found := strings.Cut(line, ": "); found {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	for _, f := range t.fields() {
		*f.value = values[f.key]
	}
	return t, t.Bundle != ""
}

// sameDecision reports whether two proposals promote the same bundle over the
// same one by the same exam. The commit that trained it may differ: a change
// that does not touch the model leaves the proposal as it is.
func (t Trailers) sameDecision(o Trailers) bool {
	return t.Model == o.Model && t.Environment == o.Environment && t.Bundle == o.Bundle &&
		t.Exam == o.Exam && t.Replaces == o.Replaces && t.Verdict == o.Verdict
}
