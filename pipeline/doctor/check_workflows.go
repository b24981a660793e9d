package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Workflow is one file of .github/workflows.
type Workflow struct {
	Path string
	Text []byte
}

// needs says which permissions an action of dosirak asks for, "" being the
// root action. with are the step's inputs: those that turn off what is told
// turn off what it needs. An expression may be anything, so it counts as on.
func needs(action string, with map[string]any) []string {
	on := func(input string, byDefault bool) bool {
		switch value := with[input].(type) {
		case bool:
			return value
		case string:
			return value != "false"
		}
		return byDefault
	}
	var out []string
	switch action {
	case "comment", "":
		if on("status", true) {
			out = append(out, "statuses: write")
		}
		if phase, _ := with["phase"].(string); !slices.Contains([]string{"pending", "failed", "sweep"}, phase) && on("comment", true) {
			out = append(out, "pull-requests: write")
		}
		if action == "" {
			out = append(out, "contents: read")
			if on("promote", false) {
				out = append(out, "contents: write", "pull-requests: write")
			}
		}
	case "promote":
		out = []string{"contents: write", "pull-requests: write"}
		if on("status", true) {
			out = append(out, "statuses: write")
		}
	case "reconcile":
		out = []string{"contents: read", "deployments: write", "issues: write"}
	default:
		out = []string{"contents: read"}
	}
	return out
}

// job is what is read of a workflow's job.
type job struct {
	workflow, name string
	permissions    any // nil: those of the workflow, or the repository's default
	runsOn         any
	actions        []string // of dosirak: "promote"; "dosirak" is the root action
	needs          []string
	secrets        []string
	events         []string
	promotes       bool
	unpushed       bool // what it promotes is not pushed by it
	loggedIn       bool // at some registry
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
			out = append(out, warn(list(j.actions), "write `permissions:` for the job: "+list(j.needs), "job %s of %s leaves its permissions to the repository's setting", j.name, j.workflow))
			continue
		}
		out = append(out, images(s.Config.Repository, j)...)
		if strings.HasPrefix(s.Config.Repository, "ghcr.io/") && slices.Contains(j.actions, "reconcile") && !grants(j.permissions, "packages: write") {
			out = append(out, warn("reconcile", "add `packages: write` to the job's permissions, or log in as somebody who may write to "+s.Config.Repository, "job %s of %s lacks the permission packages: write, which moving a tag at ghcr.io needs", j.name, j.workflow))
		}
		for _, need := range j.needs {
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

// images looks whether a job that promotes pushes the image that its manifest
// names.
func images(repository string, j job) []Finding {
	where := fmt.Sprintf("job %s of %s", j.name, j.workflow)
	switch {
	case repository == "" || !j.promotes:
		return nil
	case j.unpushed:
		return []Finding{warn("reconcile", "leave out `push: 'false'`, or push the image to "+repository+" in a step before it", "%s promotes an image that it does not push: the manifest names one that nobody has", where)}
	case strings.HasPrefix(repository, "ghcr.io/") && !j.loggedIn && !grants(j.permissions, "packages: write"):
		return []Finding{fail("promote", "add `packages: write` to the job's permissions, or log in as somebody who may write to "+repository, "%s lacks the permission packages: write, which pushing the image to ghcr.io needs", where)}
	case !strings.HasPrefix(repository, "ghcr.io/") && !j.loggedIn:
		host, _, _ := strings.Cut(repository, "/")
		return []Finding{warn("promote", "log in to "+host+" with docker/login-action before the promotion", "%s pushes an image to %s and logs in nowhere", where, repository)}
	}
	return nil
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
		if aliases(w.Text) > mostAliases {
			out = append(out, warn("", "look yourself", "%s has more than %d aliases (*name) and is not looked at", w.Path, mostAliases))
			continue
		}
		if err := decode(w.Text, &file); err != nil {
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
				script, _ := step["run"].(string)
				j.loggedIn = j.loggedIn || strings.Contains(uses, "login") || strings.Contains(script, "docker login")
				if m := ours.FindStringSubmatch(uses); m != nil {
					with, _ := step["with"].(map[string]any)
					j.needs = append(j.needs, needs(m[1], with)...)
					if m[1] == "promote" || m[1] == "" && fmt.Sprint(with["promote"]) == "true" {
						j.promotes, j.unpushed = true, fmt.Sprint(with["push"]) == "false"
					}
					name := m[1]
					if name == "" {
						name = "dosirak"
					}
					j.actions = append(j.actions, name)
				}
			}
			walk(body, func(text string) {
				for _, m := range secret.FindAllStringSubmatch(text, -1) {
					if m[1] != "GITHUB_TOKEN" {
						j.secrets = append(j.secrets, m[1])
					}
				}
			})
			j.secrets, j.needs, j.actions = unique(j.secrets), unique(j.needs), unique(j.actions)
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

// mostAliases bounds what a workflow stands for: aliases of aliases let a
// small file stand for an endless one, and 20 of them for some thousands of
// copies at most.
const mostAliases = 20

// aliases counts the aliases in a file.
func aliases(text []byte) (n int) {
	for _, t := range lexer.Tokenize(string(text)) {
		if t.Type == token.AliasType {
			n++
		}
	}
	return n
}

// decode reads YAML. The parser gives up on some texts by panicking.
func decode(text []byte, into any) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the text is no YAML that can be read")
		}
	}()
	return yaml.Unmarshal(text, into)
}

// walk calls visit for every text in a value.
func walk(value any, visit func(string)) {
	switch v := value.(type) {
	case string:
		visit(v)
	case []any:
		for _, item := range v {
			walk(item, visit)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(v[key], visit)
		}
	}
}
