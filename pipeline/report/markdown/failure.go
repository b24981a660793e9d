package markdown

import (
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// Failure is the comment on a change that could not be judged.
type Failure struct {
	Model, Environment report.Name
	Commit             report.Commit
	Reason             report.Prose // may hold text from outside
	Page               string       // https URL of the run that judged
	Trained            string       // https URL of the run that trained
	Repository         string       // https URL
}

// Failed returns the comment: why there is no verdict, and where more is said.
func Failed(f Failure) string {
	w := &writer{repository: strings.TrimSuffix(pageURL(f.Repository), "/")}
	w.str("### ⚠️ NO VERDICT · ")
	name(&w.b, f.Model)
	w.str(" → ")
	name(&w.b, f.Environment)
	w.str("\n\n")
	w.prose(string(f.Reason))
	w.str("\n\n<sub>")
	w.commit(f.Commit, f.Commit.Short())
	for _, link := range []struct{ text, to string }{{"the run that trains", f.Trained}, {"the run that judges", f.Page}} {
		if to := pageURL(link.to); to != "" {
			w.str(" · [" + link.text + "](" + to + ")")
		}
	}
	w.str("</sub>\n")
	return w.b.String()
}
