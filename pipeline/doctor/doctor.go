package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Level says how bad a finding is.
type Level string

const (
	OK   Level = "ok"
	Warn Level = "warn" // may block, or could not be looked at
	Fail Level = "fail" // blocks a step
)

// Finding is one thing that was looked at.
type Finding struct {
	Check  string   `json:"check"`
	Level  Level    `json:"level"`
	What   string   `json:"what"`
	Blocks []string `json:"blocks,omitempty"` // the steps that it blocks
	WayOut string   `json:"way_out,omitempty"`
}

// What a finding may block besides single steps.
const (
	everything = "every step"
	onGitHub   = "every step on GitHub"
)

// Blocking reports whether f blocks one of steps; none means any.
func (f Finding) Blocking(steps ...string) bool {
	if f.Level != Fail {
		return false
	}
	if len(steps) == 0 || slices.Contains(f.Blocks, everything) || slices.Contains(f.Blocks, onGitHub) {
		return true
	}
	return slices.ContainsFunc(f.Blocks, func(b string) bool { return slices.Contains(steps, b) })
}

// Report is all findings, in the order of the table.
type Report struct {
	Steps    []string  `json:"steps,omitempty"` // those that were asked about; none: all
	Blocked  bool      `json:"blocked"`         // one of them is
	Findings []Finding `json:"findings"`
}

// Subject is what is looked at. Facts that could not be gathered carry their
// error.
type Subject struct {
	Dir       string   // the project's folder, as the user wrote it
	Steps     []string // those that are asked about; none: all
	ConfigErr error    // the config cannot be used: what needs it is not checked
	Config    Config
	Git       Git
	Manifests []Manifest
	Workflows []Workflow
	Machine   Machine
	GitHub    GitHub // nil: nobody said which repository and with which token
}

// Config is what the checks need of it.
type Config struct {
	Model        string
	Environments []string
	Base         string
	Commands     []Command
	Files        []File
	Repository   string // of the image, "" for none
	Labels       []string
}

// Command is one that the project runs.
type Command struct {
	Key  string // "train.command"
	Text string
}

// File is one that the config names.
type File struct {
	Key, Path string
	Err       error // nil: it can be read
	Fetched   bool  // data.fetch brings it
}

// Git is the repository around the project.
type Git struct {
	Err        error // there is none
	Commit     string
	Branch     string // "" when HEAD is detached
	Changed    []string
	BaseExists bool
	Merged     bool   // the commit is on the base branch
	InTheWay   string // a branch that leaves no room for dosirak/…, "" for none
	Shallow    bool
}

// Manifest is the one of an environment.
type Manifest struct {
	Environment, Path string
	Present           bool
	Bundle            string // digest
	Err               error  // it, or its bundle, cannot be used
}

// Machine is this computer.
type Machine interface {
	// Find returns the path of a program, or an error when the PATH has none.
	Find(program string) (string, error)
	// Free returns how many bytes can be written below dir.
	Free(dir string) (uint64, error)
	// Docker returns the daemon's version, or why there is none.
	Docker(ctx context.Context) (string, error)
	// Builds reports whether images can be built: a release carries the server,
	// any other build needs Go.
	Builds() bool
}

// GitHub is the project's repository, as the token of this call sees it.
type GitHub interface {
	Repository(ctx context.Context) (Repository, error)
	// Token says whose token it is.
	Token(ctx context.Context) (Token, error)
	// Access probes a permission such as "contents: write".
	Access(ctx context.Context, permission string) (Access, error)
	// Rules lists the rules in force on a branch, whether it exists or not.
	Rules(ctx context.Context, branch string) ([]Rule, error)
	// Required lists the status contexts that a branch requires.
	Required(ctx context.Context, branch string) ([]Required, error)
	// Exists reports whether a branch exists.
	Exists(ctx context.Context, branch string) (bool, error)
	// The rest may be closed to the token: then the error is ErrMayNotLook.
	ActionsMayOpen(ctx context.Context) (bool, error)
	Labels(ctx context.Context) ([]string, error)
	Secrets(ctx context.Context) ([]string, error)
	Runners(ctx context.Context) ([]Runner, error)
}

// ErrMayNotLook says that the token may not read a setting.
var ErrMayNotLook = errors.New("the token may not look")

// Repository is what GitHub says about it.
type Repository struct {
	Name          string
	DefaultBranch string
	Archived      bool
}

// Token is whose credential is used.
type Token struct {
	Login   string
	Actions bool // GITHUB_TOKEN of a workflow
}

// Access is what a probe found.
type Access string

const (
	Granted Access = "granted"
	Denied  Access = "denied"
	Unclear Access = "unclear"
)

// Rule is one rule of a branch, by GitHub's type.
type Rule struct{ Type string }

// Required is a status that must be reported before a merge.
type Required struct {
	Context string
	// External: an app other than GitHub Actions reports it, which hears of
	// every pull request.
	External bool
}

// Runner is a self-hosted one.
type Runner struct {
	Online bool
	Labels []string
}

// check is one thing that is looked at. A new one is a file with a run
// function and a row here.
type check struct {
	name   string
	config bool // needs a config that can be used
	github bool // needs GitHub
	run    func(context.Context, Subject) []Finding
}

var checks = []check{
	{"config", false, false, checkConfig},
	{"git", false, false, checkGit},
	{"base branch", true, false, checkBase},
	{"work tree", true, false, checkTree},
	{"data", true, false, checkFiles},
	{"programs", true, false, checkPrograms},
	{"disk", false, false, checkDisk},
	{"docker", false, false, checkDocker},
	{"server", false, false, checkServer},
	{"manifest", true, false, checkManifests},
	{"workflows", true, false, checkWorkflows},
	{"repository", true, true, checkRepository},
	{"token", true, true, checkToken},
	{"opening", true, true, checkOpening},
	{"rules", true, true, checkRules},
	{"required statuses", true, true, checkRequired},
	{"labels", true, true, checkLabels},
	{"secrets", true, true, checkSecrets},
	{"runners", true, true, checkRunners},
}

// Run looks at everything. An error means that it was interrupted.
func Run(ctx context.Context, s Subject) (Report, error) {
	r := Report{Steps: s.Steps}
	for _, c := range checks {
		if c.config && s.ConfigErr != nil || c.github && s.GitHub == nil {
			continue
		}
		for _, f := range c.run(ctx, s) {
			f.Check = c.name
			r.Findings = append(r.Findings, f)
			r.Blocked = r.Blocked || f.Blocking(s.Steps...)
		}
		if ctx.Err() != nil {
			return r, fmt.Errorf("looking at the %s: %w", c.name, ctx.Err())
		}
	}
	if s.GitHub == nil {
		r.Findings = append(r.Findings, Finding{Check: "repository", Level: Warn, What: "GitHub was not asked", WayOut: "set GITHUB_REPOSITORY to owner/name and GITHUB_TOKEN, as a workflow has them"})
	}
	return r, nil
}

func ok(format string, args ...any) []Finding {
	return []Finding{{Level: OK, What: fmt.Sprintf(format, args...)}}
}

func warn(blocks, wayOut, format string, args ...any) Finding {
	return Finding{Level: Warn, Blocks: steps(blocks), WayOut: wayOut, What: fmt.Sprintf(format, args...)}
}

func fail(blocks, wayOut, format string, args ...any) Finding {
	return Finding{Level: Fail, Blocks: steps(blocks), WayOut: wayOut, What: fmt.Sprintf(format, args...)}
}

// asked is the finding of a question that GitHub did not answer. What needs a
// human blocks; what may work later does not.
func asked(blocks string, err error) []Finding {
	level := Fail
	if fault.ExitCode(err) == fault.CodeEnvironment || errors.Is(err, ErrMayNotLook) {
		level = Warn
	}
	return []Finding{{Level: level, Blocks: steps(blocks), What: err.Error()}}
}

// steps splits "promote, rollback".
func steps(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}
