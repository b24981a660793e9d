package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/doctor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// actionsApp is the id of the app that reports what workflows do.
// https://api.github.com/apps/github-actions
const actionsApp = 15368

// Doctor is the repository in the doctor's words.
func (f *Forge) Doctor() doctor.GitHub { return patient{f} }

type patient struct{ f *Forge }

var _ doctor.GitHub = patient{}

// Repository reads what GitHub says about it.
func (p patient) Repository(ctx context.Context) (doctor.Repository, error) {
	r, _, err := p.f.rest.Repositories.Get(ctx, p.f.owner, p.f.name)
	if err != nil {
		return doctor.Repository{}, explain("reading "+p.f.options.Repository, readContents, err)
	}
	return doctor.Repository{Name: r.GetFullName(), DefaultBranch: r.GetDefaultBranch(), Archived: r.GetArchived()}, nil
}

// Token asks whose token it is.
func (p patient) Token(ctx context.Context) (doctor.Token, error) {
	if err := p.f.who(ctx); err != nil {
		return doctor.Token{}, err
	}
	return doctor.Token{Login: p.f.login, Actions: p.f.login == "github-actions[bot]"}, nil
}

// probes are calls that tell whether a token has a permission and have no
// effect: readings, an object that nothing refers to, and calls that GitHub
// has to refuse for their content. 403 is the answer where the permission
// lacks, and 404 where a classic token's scope does.
var probes = map[string]struct {
	method, path string
	body         any
}{
	"contents: read":       {http.MethodGet, "git/matching-refs/heads/dosirak", nil},
	"contents: write":      {http.MethodPost, "git/blobs", map[string]any{"content": "", "encoding": "utf-8"}},
	"pull-requests: write": {http.MethodPost, "pulls", map[string]any{"title": "dosirak doctor", "head": "dosirak/none", "base": "dosirak/none"}},
	"statuses: write":      {http.MethodPost, "statuses/" + zero, map[string]any{"state": "pending", "context": "dosirak/doctor"}},
	"issues: read":         {http.MethodGet, "issues?per_page=1", nil},
	"deployments: write":   {http.MethodPost, "deployments", map[string]any{"ref": zero, "environment": "dosirak/doctor", "required_contexts": []string{}, "auto_merge": false}},
}

// notPermitted is what GitHub says where workflows may not open pull requests.
const notPermitted = "not permitted to create or approve pull requests"

// Access probes one permission.
func (p patient) Access(ctx context.Context, permission string) (doctor.Access, error) {
	probe, known := probes[permission]
	if !known {
		return doctor.Unclear, nil
	}
	_, err := p.call(ctx, probe.method, probe.path, probe.body, nil)
	switch code := status(err); {
	case err == nil, code == http.StatusUnprocessableEntity, code == http.StatusConflict:
		return doctor.Granted, nil
	case code == http.StatusForbidden && strings.Contains(err.Error(), notPermitted):
		return doctor.Granted, nil
	case limited(err):
		return doctor.Unclear, explain("asking for "+permission, readContents, err)
	case code == http.StatusForbidden, code == http.StatusNotFound:
		return doctor.Denied, nil
	default:
		return doctor.Unclear, explain("asking for "+permission, readContents, err)
	}
}

func limited(err error) bool {
	var limit *limitError
	return errors.As(err, &limit)
}

// call sends a request below the repository. It has no effect, so it may be
// repeated.
func (p patient) call(ctx context.Context, method, path string, body, out any) (*github.Response, error) {
	req, err := p.f.rest.NewRequest(method, fmt.Sprintf("repos/%s/%s/%s", p.f.owner, p.f.name, path), body)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("making a request: %w", err))
	}
	return p.f.rest.Do(repeat(ctx), req, out)
}

// all reads every page of a list.
func all[T any](ctx context.Context, p patient, path string, items func(page json.RawMessage) ([]T, error)) ([]T, error) {
	var out []T
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for number, n := 1, 0; number != 0 && n < pages; n++ {
		var page json.RawMessage
		resp, err := p.call(ctx, http.MethodGet, fmt.Sprintf("%s%sper_page=100&page=%d", path, separator, number), nil, &page)
		if err != nil {
			return nil, err
		}
		found, err := items(page)
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("decoding an answer: %w", err))
		}
		out = append(out, found...)
		number = resp.NextPage
	}
	return out, nil
}

func plainList[T any](page json.RawMessage) (out []T, err error) {
	err = json.Unmarshal(page, &out)
	return out, err
}

// rule is a rule of a branch, as far as it is looked at. Unknown types pass.
type rule struct {
	Type       string
	Parameters struct {
		Checks []struct {
			Context string
			App     *int64 `json:"integration_id"`
		} `json:"required_status_checks"`
	}
}

func (p patient) rules(ctx context.Context, branch string) ([]rule, error) {
	found, err := all(ctx, p, "rules/branches/"+url.PathEscape(branch), plainList[rule])
	return found, explain("reading the rules of "+branch, need{"metadata", "read"}, err)
}

// Rules lists the rules on a branch; it need not exist.
func (p patient) Rules(ctx context.Context, branch string) ([]doctor.Rule, error) {
	found, err := p.rules(ctx, branch)
	var out []doctor.Rule
	for _, r := range found {
		out = append(out, doctor.Rule{Type: r.Type})
	}
	return out, err
}

// Required lists the contexts that rules and the older branch protection
// require.
func (p patient) Required(ctx context.Context, branch string) ([]doctor.Required, error) {
	found, err := p.rules(ctx, branch)
	if err != nil {
		return nil, err
	}
	var out []doctor.Required
	seen := map[string]bool{}
	add := func(name string, app *int64) {
		if !seen[name] {
			seen[name] = true
			out = append(out, doctor.Required{Context: name, External: app != nil && *app > 0 && *app != actionsApp})
		}
	}
	for _, r := range found {
		for _, c := range r.Parameters.Checks {
			add(c.Context, c.App)
		}
	}
	var protected struct {
		Protection struct {
			Required struct {
				Contexts []string
				Checks   []struct {
					Context string
					App     *int64 `json:"app_id"`
				}
			} `json:"required_status_checks"`
		}
	}
	if _, err := p.call(ctx, http.MethodGet, "branches/"+url.PathEscape(branch), nil, &protected); err != nil && status(err) != http.StatusNotFound {
		return nil, explain("reading branch "+branch, readContents, err)
	}
	for _, c := range protected.Protection.Required.Checks {
		add(c.Context, c.App)
	}
	for _, name := range protected.Protection.Required.Contexts {
		add(name, nil)
	}
	return out, nil
}

// Exists reports whether a branch exists. A list is asked, since a 404 would
// also be the answer to a token that may not look.
func (p patient) Exists(ctx context.Context, branch string) (bool, error) {
	type ref struct{ Ref string }
	found, err := all(ctx, p, "git/matching-refs/heads/"+branch, plainList[ref])
	if err != nil {
		return false, explain("looking for branch "+branch, readContents, err)
	}
	for _, r := range found {
		if r.Ref == "refs/heads/"+branch {
			return true, nil
		}
	}
	return false, nil
}

// ActionsMayOpen reads the setting. The probe of pull requests tells it too
// where the token may not read settings.
func (p patient) ActionsMayOpen(ctx context.Context) (bool, error) {
	var setting struct {
		May bool `json:"can_approve_pull_request_reviews"`
	}
	_, err := p.call(ctx, http.MethodGet, "actions/permissions/workflow", nil, &setting)
	if err == nil {
		return setting.May, nil
	}
	if closed := p.closed("reading the settings of Actions", err); !errors.Is(closed, doctor.ErrMayNotLook) {
		return false, closed
	}
	probe := probes["pull-requests: write"]
	if _, err := p.call(ctx, probe.method, probe.path, probe.body, nil); err != nil && strings.Contains(err.Error(), notPermitted) {
		return false, nil
	}
	return false, doctor.ErrMayNotLook
}

// closed tells a setting that a token may not read from a failure.
func (p patient) closed(doing string, err error) error {
	if code := status(err); !limited(err) && (code == http.StatusForbidden || code == http.StatusNotFound) {
		return fmt.Errorf("%s: %w", doing, doctor.ErrMayNotLook)
	}
	return explain(doing, need{"administration", "read"}, err)
}

// Labels lists the repository's labels.
func (p patient) Labels(ctx context.Context) ([]string, error) {
	type label struct{ Name string }
	found, err := all(ctx, p, "labels", plainList[label])
	if err != nil {
		return nil, p.closed("reading the labels", err)
	}
	var names []string
	for _, l := range found {
		names = append(names, l.Name)
	}
	return names, nil
}

// Secrets lists the names of the repository's secrets.
func (p patient) Secrets(ctx context.Context) ([]string, error) {
	type secret struct{ Name string }
	found, err := all(ctx, p, "actions/secrets", func(page json.RawMessage) ([]secret, error) {
		var out struct{ Secrets []secret }
		err := json.Unmarshal(page, &out)
		return out.Secrets, err
	})
	if err != nil {
		return nil, p.closed("reading the names of the secrets", err)
	}
	var names []string
	for _, s := range found {
		names = append(names, s.Name)
	}
	return names, nil
}

// Runners lists the repository's self-hosted runners.
func (p patient) Runners(ctx context.Context) ([]doctor.Runner, error) {
	type runner struct {
		Status string
		Labels []struct{ Name string }
	}
	found, err := all(ctx, p, "actions/runners", func(page json.RawMessage) ([]runner, error) {
		var out struct{ Runners []runner }
		err := json.Unmarshal(page, &out)
		return out.Runners, err
	})
	if err != nil {
		return nil, p.closed("reading the runners", err)
	}
	var out []doctor.Runner
	for _, r := range found {
		d := doctor.Runner{Online: r.Status == "online"}
		for _, l := range r.Labels {
			d.Labels = append(d.Labels, l.Name)
		}
		out = append(out, d)
	}
	return out, nil
}
