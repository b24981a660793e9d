package doctor

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Workflow is one file of .github/workflows.
type Workflow struct {
	Path string
	Text []byte
}

// needs says which permissions each action of dosirak asks for. Without the
// last segment it is the root action.
var needs = map[string][]string{
	"":          {"contents: read"},
	"train":     {"contents: read"},
	"gather":    {"contents: read"},
	"compare":   {"contents: read"},
	"image":     {"contents: read"},
	"smoke":     {"contents: read"},
	"comment":   {"pull-requests: write", "statuses: write"},
	"promote":   {"contents: write", "pull-requests: write", "statuses: write"},
	"reconcile": {"contents: read", "deployments: write", "issues: write"},
	"doctor":    {"contents: read"},
}

// job is what is read of a workflow's job.
type job struct {
	workflow, name string
	permissions    any // nil: those of the workflow, or the repository's default
	runsOn         any
	actions        []string // keys of needs
	secrets        []string
	events         []string
}

// checkWorkflows looks whether the jobs that use dosirak have the permissions
// that its actions need.
func checkWorkflows(_ context.Context, s Subject) []Finding {
	jobs, out := readJobs(s.Workflows)
	using := 0
	for _, j := range jobs {
		if len(j.actions) == 0 {
			continue
		}
		using++
		if j.permissions == nil {
			out = append(out, warn(list(j.actions), "write `permissions:` for the job: "+list(needed(j.actions)), "job %s of %s leaves its permissions to the repository's setting", j.name, j.workflow))
			continue
		}
		for _, need := range needed(j.actions) {
			if !grants(j.permissions, need) {
				out = append(out, fail(list(j.actions), fmt.Sprintf("add `%s` to the job's permissions", need), "job %s of %s lacks the permission %s", j.name, j.workflow, need))
			}
		}
	}
	if using > 0 && len(out) == 0 {
		return ok("%d jobs that use dosirak have the permissions they need", using)
	}
	return out
}

func needed(actions []string) []string {
	var all []string
	for _, a := range actions {
		all = append(all, needs[a]...)
	}
	return unique(all)
}

// grants reports whether a permissions value of a workflow gives a permission.
func grants(permissions any, need string) bool {
	name, level, _ := strings.Cut(need, ": ")
	switch p := permissions.(type) {
	case string:
		return p == "write-all" || p == "read-all" && level == "read"
	case map[string]any:
		has, _ := p[name].(string)
		return has == "write" || has == level
	}
	return false
}

var (
	// ours matches the actions of dosirak, from its repository or from a
	// checkout of it.
	ours   = regexp.MustCompile(`^(?:dosirak-ml/dosirak|\.)(?:/actions/([a-z]+))?/?(?:@.*)?$`)
	secret = regexp.MustCompile(`\$\{\{[^}]*\bsecrets\.([A-Za-z_][A-Za-z0-9_]*)`)
)

// readJobs reads the jobs of all workflows, by path and name. A file that is
// no YAML is a finding: GitHub will not run it either.
func readJobs(workflows []Workflow) (jobs []job, out []Finding) {
	for _, w := range workflows {
		var file struct {
			On          any            `yaml:"on"`
			Permissions any            `yaml:"permissions"`
			Jobs        map[string]any `yaml:"jobs"`
		}
		if err := yaml.Unmarshal(w.Text, &file); err != nil {
			out = append(out, warn("", "correct it; GitHub does not run it as it is", "%s is no workflow: %.200s", w.Path, strings.SplitN(err.Error(), "\n", 2)[0]))
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(file.Jobs)) {
			body, _ := file.Jobs[name].(map[string]any)
			j := job{workflow: w.Path, name: name, permissions: file.Permissions, runsOn: body["runs-on"], events: events(file.On)}
			if p, own := body["permissions"]; own {
				j.permissions = p
			}
			steps, _ := body["steps"].([]any)
			for _, item := range steps {
				step, _ := item.(map[string]any)
				uses, _ := step["uses"].(string)
				if m := ours.FindStringSubmatch(uses); m != nil {
					if _, known := needs[m[1]]; known {
						j.actions = append(j.actions, m[1])
					}
				}
			}
			text, err := yaml.Marshal(body)
			if err == nil {
				for _, m := range secret.FindAllStringSubmatch(string(text), -1) {
					if m[1] != "GITHUB_TOKEN" {
						j.secrets = append(j.secrets, m[1])
					}
				}
			}
			j.secrets = unique(j.secrets)
			jobs = append(jobs, j)
		}
	}
	return jobs, out
}

func events(on any) []string {
	switch on := on.(type) {
	case string:
		return []string{on}
	case []any:
		var out []string
		for _, e := range on {
			out = append(out, fmt.Sprint(e))
		}
		return out
	case map[string]any:
		return slices.Sorted(maps.Keys(on))
	}
	return nil
}
