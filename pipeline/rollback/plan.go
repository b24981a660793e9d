package rollback

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// Branch names the branch on which a rollback is proposed.
func Branch(model, environment string) string {
	return "dosirak/rollback/" + model + "/" + environment
}

// Plan makes the proposal: one commit that puts the chosen version of the
// manifest back. path is relative to the project's folder, base the branch
// that it is for.
func Plan(c Choice, path, base string) promote.Proposal {
	m := c.Back.Manifest
	p := promote.Proposal{
		Branch: Branch(m.Model, m.Environment),
		Base:   base,
		Title:  fmt.Sprintf("Roll back %s in %s to %s", m.Model, m.Environment, short(m.Bundle)),
		Files:  map[string][]byte{path: c.Back.Text},
		Trailers: promote.Trailers{
			Model: m.Model, Environment: m.Environment, Bundle: m.Bundle, Exam: m.Exam,
			Replaces: c.Now.Manifest.Bundle, Verdict: string(m.Verdict), Source: commit(m.Commit),
		},
	}
	p.Body = body(c, path, base)
	p.Message = fmt.Sprintf("%s\n\nThe manifest is as commit %.12s left it. Merging this commit is the\nrollback.\n\n%s", p.Title, c.Back.Commit, p.Trailers)
	return p
}

// body is the text of the pull request. Everything in it is a name of the
// config, a digest or a number.
func body(c Choice, path, base string) string {
	now, back := c.Now.Manifest, c.Back.Manifest
	var b strings.Builder
	fmt.Fprintf(&b, "`%s` in `%s` goes back to the model of commit `%.12s`.\n\n", back.Model, back.Environment, c.Back.Commit)
	b.WriteString("| | goes | comes back |\n|---|---|---|\n")
	row := func(name, a, b string) string { return fmt.Sprintf("| %s | %s | %s |\n", name, cell(a), cell(b)) }
	b.WriteString(row("bundle", now.Bundle, back.Bundle))
	b.WriteString(row("image", now.Image, back.Image))
	b.WriteString(row("verdict when it was promoted", judged(now), judged(back)))
	b.WriteString(row("exam", now.Exam, back.Exam))
	b.WriteString(row("trained at commit", now.Commit, back.Commit))
	for _, name := range metrics(now, back) {
		b.WriteString(row(name, value(now, name), value(back, name)))
	}
	fmt.Fprintf(&b, "\nThe numbers are those of each promotion; where the evaluation data differs, they cannot be compared.\n")
	fmt.Fprintf(&b, "\nMerging this changes `%s`, and that *is* the rollback. Branch `%s` still trains the model that goes: revert its change too, or the next run proposes it again.\n", path, base)
	return b.String()
}

// commit leaves out what would forge a line of the message.
func commit(text string) string {
	if !plain.MatchString(text) {
		return ""
	}
	return text
}

func judged(m manifest.Manifest) string {
	if m.Sources.Evidence == "" {
		return "adopted, not judged"
	}
	return string(m.Verdict)
}

// metrics lists the metrics of both, those of what comes back first.
func metrics(now, back manifest.Manifest) []string {
	var names []string
	for _, m := range append(slices.Clone(back.Metrics), now.Metrics...) {
		if plain.MatchString(m.Name) && !slices.Contains(names, m.Name) {
			names = append(names, m.Name)
		}
	}
	return names
}

func value(m manifest.Manifest, name string) string {
	for _, x := range m.Metrics {
		if x.Name == name && x.Candidate != nil {
			return fmt.Sprintf("%.4g", *x.Candidate)
		}
	}
	return ""
}

// plain is what may stand in Markdown and terminals as it is. A manifest is a
// file that somebody can edit: its image, commit and metrics are texts.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ,._:/@+-]*$`)

func cell(text string) string {
	switch {
	case text == "":
		return "–"
	case !plain.MatchString(text):
		return "not readable"
	}
	return "`" + text + "`"
}

func short(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	return digest[:min(12, len(digest))]
}

// Propose brings the rollback's branch and pull request to p. Called again
// with the same choice it changes nothing.
func Propose(ctx context.Context, f promote.Forge, p promote.Proposal) (promote.Outcome, error) {
	out, err := promote.Propose(ctx, promote.Asked(f), p)
	if err != nil {
		return out, fmt.Errorf("rolling back: %w", err)
	}
	return out, nil
}
