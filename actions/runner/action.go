package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/sethvargo/go-githubactions"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// Action is one action as action.yml describes it.
type Action struct {
	Name    string
	Short   string   // one line for the help
	Inputs  []string // as in action.yml, hyphens and all
	Outputs []string
	Secrets []string // inputs that are masked in the log
	// Run does the work and returns the exit code: 0, or that of a verdict
	// which is told already. An error is annotated.
	Run func(ctx context.Context, j *Job) (code int, err error)
}

// Surroundings are what Do takes from outside.
type Surroundings struct {
	Getenv func(string) string
	Stdout io.Writer // the runner reads commands from it
	// Bundles are where a project keeps bundles that are too large for Git; nil:
	// nowhere.
	Bundles project.BundleStore
}

// Job is one run of an action.
type Job struct {
	Out   io.Writer // for people; guarded
	Event Event

	bundles project.BundleStore
	action  Action
	issue   *githubactions.Action
	getenv  func(string) string
	outputs map[string]string
	summary strings.Builder
	read    map[string]bool
}

// NewJob prepares a run of an action. Tests of an action use it; everyone else
// uses Do.
func NewJob(a Action, s Surroundings) (*Job, error) {
	j := &Job{
		Out: Guard(s.Stdout), bundles: s.Bundles, action: a, getenv: s.Getenv, outputs: map[string]string{}, read: map[string]bool{},
		issue: githubactions.New(githubactions.WithWriter(s.Stdout), githubactions.WithGetenv(s.Getenv)),
	}
	for _, name := range a.Secrets {
		if value := j.Input(name); value != "" {
			j.issue.AddMask(value)
		}
	}
	var err error
	j.Event, err = readEvent(s.Getenv)
	return j, err
}

// Do runs an action and returns its exit code. What the action found before it
// failed is written all the same.
func Do(ctx context.Context, a Action, s Surroundings) int {
	j, err := NewJob(a, s)
	code := 0
	if err == nil {
		code, err = a.Run(ctx, j)
	}
	if err != nil && slices.Contains(a.Outputs, "reason") && j.outputs["reason"] == "" {
		j.outputs["reason"] = reason(err)
	}
	closed := j.Close()
	err = errors.Join(err, closed)
	if err == nil {
		return code
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		j.issue.Errorf("dosirak %s was cancelled; what was finished is kept", a.Name)
		return fault.CodeInterrupted
	}
	j.issue.Errorf("dosirak %s: %s", a.Name, fault.Message(err))
	return fault.ExitCode(err)
}

// maxReason is how much of an error is passed on to another job, in characters.
const maxReason = 600

// reason is an error as one line that an output can hold. It may hold text from
// outside; whoever shows it escapes it.
func reason(err error) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.Join(strings.Fields(err.Error()), " ") {
		if !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
			continue
		}
		if n++; n > maxReason {
			b.WriteString(" …")
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Input returns an input without the white space around it.
func (j *Job) Input(name string) string {
	if !slices.Contains(j.action.Inputs, name) {
		panic(fmt.Sprintf("action %s reads input %q, which it does not declare", j.action.Name, name))
	}
	j.read[name] = true
	return j.issue.GetInput(Variable(name)[len("INPUT_"):])
}

// Open reads the project in dir, as project.Open does, with the registry that
// keeps large bundles.
func (j *Job) Open(ctx context.Context, dir, config string) (*project.Project, error) {
	p, err := project.Open(ctx, dir, config)
	if err == nil {
		p.Bundles = j.bundles
	}
	return p, err
}

// Variable is the environment variable that action.yml maps an input to. A
// shell cannot export a name with a hyphen, so there is none.
func Variable(input string) string {
	return "INPUT_" + strings.ToUpper(strings.ReplaceAll(input, "-", "_"))
}

// Bool returns an input that is true or false.
func (j *Job) Bool(name string) (bool, error) {
	switch value := j.Input(name); strings.ToLower(value) {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	default:
		return false, fault.BadValue.Usage(fmt.Errorf("input %s is %q: write true or false", name, value))
	}
}

// Choice returns an input that is one of some words.
func (j *Job) Choice(name string, words ...string) (string, error) {
	value := j.Input(name)
	if slices.Contains(words, value) {
		return value, nil
	}
	return "", fault.BadValue.Usage(fmt.Errorf("input %s is %q: write one of %s", name, value, strings.Join(words, ", ")))
}

// List returns an input that names things, separated by commas or line ends.
func (j *Job) List(name string) []string {
	var list []string
	for _, part := range strings.FieldsFunc(j.Input(name), func(r rune) bool { return r == ',' || r == '\n' }) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// Set sets an output. A value that could forge another one is refused.
func (j *Job) Set(name, value string) error {
	if !slices.Contains(j.action.Outputs, name) {
		panic(fmt.Sprintf("action %s sets output %q, which it does not declare", j.action.Name, name))
	}
	if err := checkValue(name, value); err != nil {
		return err
	}
	j.outputs[name] = value
	return nil
}

// SetAll sets several outputs; all that can be set are set.
func (j *Job) SetAll(values map[string]string) error {
	var errs []error
	for _, name := range j.action.Outputs {
		if value, ok := values[name]; ok {
			errs = append(errs, j.Set(name, value))
		}
	}
	for name := range values {
		if !slices.Contains(j.action.Outputs, name) {
			panic(fmt.Sprintf("action %s sets output %q, which it does not declare", j.action.Name, name))
		}
	}
	return errors.Join(errs...)
}

// Summarise adds Markdown to the step summary. Text from outside in it is
// escaped already.
func (j *Job) Summarise(markdown string) { j.summary.WriteString(markdown) }

// Warn annotates the run with something that does not change its result.
func (j *Job) Warn(format string, args ...any) { j.issue.Warningf(format, args...) }

// Notice annotates the run with something worth knowing.
func (j *Job) Notice(format string, args ...any) { j.issue.Noticef(format, args...) }

// Getenv returns a variable that the runner itself sets, such as
// GITHUB_REPOSITORY.
func (j *Job) Getenv(name string) string { return j.getenv(name) }

// Address is the page of this workflow run, "" outside of one.
func (j *Job) Address() string {
	server, repository, id := j.getenv("GITHUB_SERVER_URL"), j.getenv("GITHUB_REPOSITORY"), j.getenv("GITHUB_RUN_ID")
	if !strings.HasPrefix(server, "https://") || repository == "" || id == "" {
		return ""
	}
	return server + "/" + repository + "/actions/runs/" + id
}

// Repository is the page of the repository, "" outside of a workflow.
func (j *Job) Repository() string {
	server, repository := j.getenv("GITHUB_SERVER_URL"), j.getenv("GITHUB_REPOSITORY")
	if !strings.HasPrefix(server, "https://") || !repositoryName.MatchString(repository) {
		return ""
	}
	return server + "/" + repository
}

// Unread lists the inputs that were not read.
func (j *Job) Unread() []string {
	var names []string
	for _, name := range j.action.Inputs {
		if !j.read[name] {
			names = append(names, name)
		}
	}
	return names
}

// Close writes outputs and summary. Outside of a workflow, where the runner
// names no file, the outputs are printed.
func (j *Job) Close() error {
	var text strings.Builder
	end := delimiter()
	for _, name := range j.action.Outputs {
		text.WriteString(encodeOutput(name, j.outputs[name], end))
	}
	var errs []error
	if path := j.getenv("GITHUB_OUTPUT"); path != "" {
		errs = append(errs, appendTo("GITHUB_OUTPUT", path, text.String()))
	} else {
		for _, name := range j.action.Outputs {
			fmt.Fprintf(j.Out, "%s=%s\n", name, j.outputs[name])
		}
	}
	if path := j.getenv("GITHUB_STEP_SUMMARY"); path != "" && j.summary.Len() > 0 {
		errs = append(errs, appendTo("GITHUB_STEP_SUMMARY", path, summaryText(j.summary.String())))
	}
	if guard, ok := j.Out.(io.Closer); ok {
		errs = append(errs, guard.Close())
	}
	return errors.Join(errs...)
}
