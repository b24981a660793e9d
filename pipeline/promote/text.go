package promote

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// body is the text of the pull request. Everything in it comes from closed
// alphabets (names, digests, numbers), so nothing needs escaping; the
// manifest's validation and the config's keep it so.
func body(m manifest.Manifest, d Decision) string {
	var b strings.Builder
	if d.Findings != "" {
		fmt.Fprintf(&b, "Merging this changes `%s`, and that *is* the promotion. To roll back, revert the merge.\n\n%s\n", d.ManifestPath, d.Findings)
		facts(&b, m, d.Links)
		return b.String()
	}
	numbers(&b, m)
	facts(&b, m, d.Links)
	fmt.Fprintf(&b, "\nMerging this changes `%s`, and that *is* the promotion. To roll back, revert the merge.\n", d.ManifestPath)
	return b.String()
}

// numbers is what the manifest itself says of the comparison.
func numbers(b *strings.Builder, m manifest.Manifest) {
	what := "is not worse than"
	if m.Improved {
		what = "improves on"
	}
	if m.Replaces == "" {
		fmt.Fprintf(b, "**%s**: the first model of `%s` in `%s`.\n\n", m.Verdict, m.Model, m.Environment)
	} else {
		fmt.Fprintf(b, "**%s**: the candidate for `%s` in `%s` %s the model in production.\n\n", m.Verdict, m.Model, m.Environment, what)
	}
	b.WriteString("| metric | production | candidate | improvement | low .. high | margin | must be |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---|\n")
	for _, r := range m.Metrics {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Name, number(r.Baseline), number(r.Candidate), improvement(r), bounds(r), or(r.Margin, "–"), limits(r))
	}
	b.WriteString("\nAn improvement is positive when the candidate is better, whatever the metric's direction. Where the margin is in per cent, improvement and bounds are relative to production.\n\n")
}

// facts are what is promoted, by digests, and where it came from.
func facts(b *strings.Builder, m manifest.Manifest, l Links) {
	fmt.Fprintf(b, "- bundle `%s`\n", m.Bundle)
	if m.Replaces != "" {
		fmt.Fprintf(b, "- replaces `%s`\n", m.Replaces)
	}
	if m.Image != "" {
		fmt.Fprintf(b, "- image `%s`\n", m.Image)
	}
	fmt.Fprintf(b, "- exam `%s`\n", m.Exam)
	if m.Commit != "" {
		fmt.Fprintf(b, "- trained at commit %s\n", link(l.Repository, "commit/"+m.Commit, "`"+m.Commit+"`"))
	}
	if l.Repository != "" && l.Since != "" && m.Commit != "" && l.Since != m.Commit {
		fmt.Fprintf(b, "- %s since production was trained\n", link(l.Repository, "compare/"+l.Since+"..."+m.Commit, "what changed"))
	}
	if l.Repository != "" && len(l.Pulls) > 0 {
		var pulls []string
		for _, n := range l.Pulls {
			pulls = append(pulls, fmt.Sprintf("#%d", n))
		}
		fmt.Fprintf(b, "- from %s\n", strings.Join(pulls, ", "))
	}
	if l.Run != "" {
		fmt.Fprintf(b, "- judged by %s\n", link(l.Run, "", "this run"))
	}
	fmt.Fprintf(b, "\nTo verify it yourself: `git switch --detach %s`, then `dosirak verify %s` in the project's folder recomputes the verdict from the evidence.\n", Branch(m.Model, m.Environment), m.Environment)
}

// link is a link below an address, or the text alone without one.
func link(address, path, text string) string {
	if address == "" {
		return text
	}
	if path != "" {
		address = strings.TrimSuffix(address, "/") + "/" + path
	}
	return "[" + text + "](" + address + ")"
}

func message(p Proposal, m manifest.Manifest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", p.Title)
	if m.Replaces != "" {
		fmt.Fprintf(&b, "%s against the model in production. Merging this commit is the\npromotion; reverting it is the rollback.\n\n", m.Verdict)
	} else {
		fmt.Fprintf(&b, "%s, the first model here. Merging this commit is the promotion;\nreverting it is the rollback.\n\n", m.Verdict)
	}
	b.WriteString(p.Trailers.String())
	return b.String()
}

// relative reports whether a metric's bounds are relative to the baseline, as
// they are where its margin is.
func relative(r manifest.Metric) bool { return strings.HasSuffix(r.Margin, "%") }

// improvement is on the scale of the bounds, so that it lies between them.
func improvement(r manifest.Metric) string {
	if !relative(r) || r.Improvement == nil || r.Baseline == nil || *r.Baseline == 0 {
		return number(r.Improvement)
	}
	share := *r.Improvement / math.Abs(*r.Baseline)
	return percent(&share)
}

// limits is what the value itself had to keep, with its own bounds.
func limits(r manifest.Metric) string {
	var parts []string
	if r.Floor != nil {
		parts = append(parts, "at least "+number(r.Floor))
	}
	if r.Ceiling != nil {
		parts = append(parts, "at most "+number(r.Ceiling))
	}
	if len(parts) == 0 {
		return "–"
	}
	text := strings.Join(parts, ", ")
	if r.ValueLow != nil && r.ValueHigh != nil {
		text += " (" + number(r.ValueLow) + " .. " + number(r.ValueHigh) + ")"
	}
	return text
}

func bounds(r manifest.Metric) string {
	switch {
	case r.Low == nil || r.High == nil:
		return "–"
	case relative(r):
		return percent(r.Low) + " .. " + percent(r.High)
	}
	return number(r.Low) + " .. " + number(r.High)
}

func percent(v *float64) string {
	share := 100 * *v
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return "–"
	}
	return strconv.FormatFloat(share, 'f', 2, 64) + "%"
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// number writes v with four significant digits, "–" when there is none. Zeros
// at the end stay: 0.63 beside 0.6258 looks like another measurement.
func number(v *float64) string {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return "–"
	}
	return strings.TrimSuffix(fmt.Sprintf("%#.4g", *v), ".")
}
