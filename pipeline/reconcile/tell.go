package reconcile

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// Deployment is what an environment runs, as a forge shows it.
type Deployment struct {
	Model, Environment string
	Production         bool
	Commit             string // head of the base branch
	Bundle, Image      string
	State              State  // InSync or OutOfSync
	Address            string // of the endpoint, "" when none was asked
	Description        string // at most 140 characters
}

// Deployments is where a forge shows what runs. One deployment stands for one
// bundle and image: it is made once, and its status follows.
type Deployments interface {
	ShowDeployment(ctx context.Context, d Deployment) (NotifyResult, error)
}

// Issue says that an environment is out of sync. Its text is a function of
// what is wrong, so that the same finding is the same text.
type Issue struct {
	Model, Environment string
	Title              string
	Body               string // Markdown
}

// Issues is where people are told that something is out of sync. There is at
// most one open issue of a model in an environment.
type Issues interface {
	// Raise opens the issue, or brings the open one up to date. One that a human
	// closed is not opened again for the same text.
	Raise(ctx context.Context, i Issue) (NotifyResult, error)
	// Settle closes the open issue with text as its last word; without one
	// nothing happens.
	Settle(ctx context.Context, model, environment, text string) (NotifyResult, error)
}

// Operation says what was done to a deployment or an issue.
type Operation string

const (
	Opened    Operation = "opened"
	Updated   Operation = "updated"
	Closed    Operation = "closed"
	Unchanged Operation = "unchanged"
	Declined  Operation = "declined" // a human closed it
)

// NotifyResult is what became of telling.
type NotifyResult struct {
	Operation Operation `json:"operation"`
	Address   string    `json:"address,omitempty"`
}

// tell shows the finding where people look. What is not known is not told: it
// would replace what was known.
func (r *Result) tell(ctx context.Context, o Options, m manifest.Manifest) {
	if r.State == Unknown || len(r.Registries) == 0 && r.Endpoint == nil {
		return
	}
	if o.Deployments != nil {
		d := Deployment{
			Model: o.Model, Environment: o.Environment, Production: o.Production,
			Commit: r.Commit, Bundle: m.Bundle, Image: m.Image, State: r.State, Description: r.line(),
		}
		if r.Endpoint != nil {
			d.Address = r.Endpoint.Address
		}
		told, err := o.Deployments.ShowDeployment(ctx, d)
		r.told(&r.Deployment, told, err)
	}
	if o.Issues == nil {
		return
	}
	if r.State == OutOfSync {
		told, err := o.Issues.Raise(ctx, r.issue(m))
		r.told(&r.Issue, told, err)
		return
	}
	told, err := o.Issues.Settle(ctx, o.Model, o.Environment, fmt.Sprintf("In sync again: `%s` runs in `%s`.", m.Bundle, o.Environment))
	r.told(&r.Issue, told, err)
}

func (r *Result) told(into **NotifyResult, told NotifyResult, err error) {
	if err != nil {
		r.Warnings = append(r.Warnings, err.Error())
		return
	}
	if told.Operation != "" {
		*into = &told
	}
}

// line says the finding in a line without Markdown.
func (r *Result) line() string {
	if len(r.Problems) > 0 {
		return strings.ReplaceAll(r.Problems[0], "`", "")
	}
	var parts []string
	switch len(r.Registries) {
	case 0:
	case 1:
		parts = append(parts, "the registry points to it")
	default:
		parts = append(parts, fmt.Sprintf("%d registries point to it", len(r.Registries)))
	}
	if r.Endpoint != nil {
		parts = append(parts, r.Endpoint.Detail)
	}
	return strings.Join(parts, "; ")
}

// image is what may stand in Markdown as it is: a manifest is a file that
// somebody can edit.
var image = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@-]*$`)

// issue is the text of what is wrong. All of it comes from closed alphabets:
// names of the config, digests, addresses that were checked, and sentences of
// our own.
func (r *Result) issue(m manifest.Manifest) Issue {
	var b strings.Builder
	fmt.Fprintf(&b, "The manifest of `%s` in `%s` is the order, and what runs does not follow it.\n\n", r.Model, r.Environment)
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "- %s\n", p)
	}
	fmt.Fprintf(&b, "\nGit says:\n\n- bundle `%s`\n", m.Bundle)
	if image.MatchString(m.Image) {
		fmt.Fprintf(&b, "- image `%s`\n", m.Image)
	}
	b.WriteString("\nLet the serving platform roll out that image, or roll the manifest back with `dosirak rollback")
	fmt.Fprintf(&b, " %s`. This issue is kept up to date, and closed once everything is in sync.\n", r.Environment)
	return Issue{Model: r.Model, Environment: r.Environment, Title: fmt.Sprintf("%s is out of sync in %s", r.Model, r.Environment), Body: b.String()}
}
