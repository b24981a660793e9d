// Package comment tells a pull request what a run found: the commit status
// first, then the one comment of the model and environment. It reads nothing
// but the report, which it takes as data that anyone may have written, the
// config and the event.
//
// # Rules of the outside world
//
//   - The states success, failure and error conclude a commit status, pending
//     does not; a branch rule is satisfied by success alone
//     (docs.github.com/rest/commits/statuses). What cannot be told is therefore
//     a failure that says so.
//   - A workflow on pull_request from a fork has a token that only reads
//     (docs.github.com, "Events that trigger workflows"): there is nothing to
//     post with, and a second workflow on workflow_run does it.
package comment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// GitHub is what is told.
type GitHub interface {
	// Pull finds the open pull request of a head. why says in a clause why
	// there is none that may be told; then number is 0.
	Pull(ctx context.Context, head runner.Head) (number int, address, why string, err error)
	// Comment brings the one comment of the model and environment up to date.
	Comment(ctx context.Context, number int, c Comment) (address string, err error)
	// SetStatus brings the status of the model and environment up to date.
	SetStatus(ctx context.Context, s Status) error
	// Sweep concludes as error what is pending since before a time, and returns
	// how many statuses that were.
	Sweep(ctx context.Context, before time.Time, address string) (int, error)
	// Conclude concludes as error what is pending of one commit, and returns how
	// many statuses that were.
	Conclude(ctx context.Context, commit, address string) (int, error)
}

// Comment is what a pull request is told.
type Comment struct {
	Model, Environment, Verdict, Commit string
	// Body gives the Markdown from the comment as it stands, "" where there is
	// none yet.
	Body   func(present string) string
	Notice string // posted when the verdict is another than before
	Quiet  bool   // where there is none yet, none is made
}

// Status is the commit status of one model in one environment.
type Status struct {
	Model, Environment, Commit string
	State                      State
	Description                string
	Address                    string
}

// State of a status.
type State string

const (
	Pending State = "pending"
	Success State = "success"
	Failure State = "failure"
	Error   State = "error"
)

// abandoned is how long a status may be pending. A job on GitHub's own runners
// ends after 6 hours (docs.github.com, "Actions limits"), a queued one waits a
// day at most.
const abandoned = 36 * time.Hour

// Open returns GitHub as the token of the job sees it.
type Open func(j *runner.Job, token string) (GitHub, error)

// Action returns the action.
func Action(open Open, now func() time.Time) runner.Action {
	return runner.Action{
		Name:    "comment",
		Short:   "Tell a pull request what was found: status and comment",
		Inputs:  []string{"phase", "models", "report", "reason", "artifact", "change", "outcome", "directory", "config", "environment", "comment", "status", "token"},
		Outputs: []string{"status", "pull-request", "comment-url", "swept"},
		Secrets: []string{"token"},
		Run:     func(ctx context.Context, j *runner.Job) (int, error) { return 0, tell(ctx, j, open, now) },
	}
}

// told is what is said, before it is said.
type told struct {
	report  *report.Report // nil: there is none
	model   string
	env     string
	advises bool
	fork    bool
	change  string // what the action plan says: none, manifest, model; "" is model
	outcome string // of the job that judged or verified
	head    runner.Head
	page    string

	reason     string // why there is no report, "" where nobody says
	trained    string // address of the run that trained
	repository string // its address
	place      report.Place
}

func tell(ctx context.Context, j *runner.Job, open Open, now func() time.Time) error {
	phase, err := j.Choice("phase", "pending", "concluded", "failed", "sweep")
	wantStatus, err2 := j.Bool("status")
	wantComment, err3 := j.Bool("comment")
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	token := j.Input("token")
	switch phase {
	case "sweep":
		return sweep(ctx, j, open, token, now())
	case "failed":
		return conclude(ctx, j, open, token)
	}
	models, err := j.Targets("models")
	if err != nil {
		return err
	}
	if models != nil {
		return begin(ctx, j, open, token, phase, models)
	}
	p, err := j.Open(ctx, j.Input("directory"), j.Input("config"))
	if err != nil {
		return err
	}
	t := told{model: p.Config.Model, env: j.Input("environment"), advises: p.Config.Mode == config.Advise, page: j.Address()}
	if t.env, err = p.Environment(t.env); err != nil {
		return err
	}
	path := j.Input("report")
	t.trained, t.repository = j.Event.RunURL, j.Repository()
	t.place = report.Place{RunID: j.Getenv("GITHUB_RUN_ID"), Base: p.Config.Promote.Base, Artifact: j.Input("artifact")}
	if !artifactName.MatchString(t.place.Artifact) || !digits.MatchString(t.place.RunID) {
		t.place.Artifact, t.place.RunID = "", ""
	}
	if t.reason, err = readReason(j.Input("reason")); err != nil {
		return err
	}
	t.change, t.outcome = j.Input("change"), j.Input("outcome")
	if t.head, err = j.Event.Change(); err != nil {
		return err
	}
	t.fork = j.Event.Fork
	if j.Event.Fork && j.Event.Kind == runner.PullRequest {
		j.Notice("this workflow was started by a fork, so its token may only read: the status and the comment come from the workflow on workflow_run, once that is on the default branch")
		return nil
	}
	github, err := open(j, token)
	if err != nil {
		return err
	}
	if phase == "concluded" && t.judged() {
		if t.report, err = t.read(path); err != nil {
			j.Warn("%s", err)
		}
	}
	// The pull request is looked for first, since the answer holds the statuses
	// as well. Whether there is one is of no concern to the status.
	wantComment = wantComment && j.Event.Pull && phase == "concluded" && (t.report != nil || t.judged() && t.reason != "")
	var pull pullRequest
	if wantComment {
		pull.number, pull.address, pull.why, pull.err = github.Pull(ctx, t.head)
	}
	status := t.status(phase)
	if wantStatus {
		// The status is what a branch rule asks for, and that it could not be
		// concluded is an error. That it could not be begun is none: the verdict
		// does not wait for it.
		err := github.SetStatus(ctx, status)
		switch {
		case err == nil:
			if err := j.Set("status", string(status.State)); err != nil {
				return err
			}
		case phase == "pending" && ctx.Err() == nil:
			j.Warn("the status could not be set to pending: %s", err)
		default:
			return err
		}
	}
	if !wantComment {
		return nil
	}
	// That a comment could not be written changes no verdict.
	if err := t.comment(ctx, j, github, pull); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		j.Warn("the comment was not written, the verdict stands: %s", err)
	}
	return nil
}

// pullRequest is what came of looking for one.
type pullRequest struct {
	number       int
	address, why string
	err          error
}

// read reads the report of this model and environment as data that anyone may
// have written.
func (t *told) read(path string) (*report.Report, error) {
	if path == "" {
		return nil, fault.NoReport.Usage(errors.New("there is no report: the run did not come that far"))
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NoReport.Usage(fmt.Errorf("there is no report at %q: the run did not come that far", path))
	}
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("reading the report: %w", err))
	}
	defer f.Close()
	limits := report.DefaultLimits()
	data, err := io.ReadAll(io.LimitReader(f, int64(limits.Bytes)+1))
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the report: %w", err))
	}
	r, err := report.Parse(data, limits)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("reading the report: %w", err))
	}
	if string(r.Run.Model) != t.model || string(r.Run.Environment) != t.env {
		return nil, fault.Usage(fmt.Errorf("the report is about %s in %s, not about %s in %s", r.Run.Model, r.Run.Environment, t.model, t.env))
	}
	return r, nil
}

// judged reports whether there should be a report.
func (t *told) judged() bool { return t.change == "" || t.change == "model" }

// status is the pure part: what a status says. It concludes whatever happened.
func (t *told) status(phase string) Status {
	s := Status{Model: t.model, Environment: t.env, Commit: t.head.Commit, Address: t.page}
	r := t.report
	switch {
	case phase == "pending":
		s.State, s.Description = Pending, "The change is being judged"
	case t.change == "none":
		s.State, s.Description = Success, "Nothing that the model is made of was changed"
	case t.change == "manifest" && t.fork:
		s.State, s.Description = Failure, "A fork changes what production runs: a promotion comes from this repository"
	case t.change == "manifest" && t.outcome == "success":
		s.State, s.Description = Success, "The manifest's verdict was recomputed from its evidence and holds"
	case t.change == "manifest":
		s.State, s.Description = Failure, "The manifest's verdict was not confirmed: the run's log says why"
	case !t.judged():
		s.State, s.Description = Error, "There is no verdict: what was changed is not known"
	case r == nil && t.outcome == "cancelled":
		s.State, s.Description = Error, "The run was cancelled: run it again"
	case r == nil:
		s.State, s.Description = Error, "There is no verdict: the run's log says why"
	case t.advises:
		s.State, s.Description = Success, "Only advises: "+said(r)
	case r.Claimed && r.Verdict == verdict.Pass:
		s.State, s.Description = Failure, "PASS is the change's own claim: its server answered"
	case r.Verdict == verdict.Pass:
		s.State, s.Description = Success, said(r)
	default:
		s.State, s.Description = Failure, said(r)
	}
	return s
}

// begin sets the statuses of several models to pending, all that can be set.
func begin(ctx context.Context, j *runner.Job, open Open, token, phase string, models []runner.Target) error {
	if phase != "pending" {
		return fault.BadValue.Usage(errors.New("input models is for phase pending: each model is concluded by its own report"))
	}
	head, err := j.Event.Change()
	if err != nil {
		return err
	}
	github, err := open(j, token)
	if err != nil {
		return err
	}
	for _, m := range models {
		t := told{model: m.Model, env: m.Environment, head: head, page: j.Address()}
		if err := github.SetStatus(ctx, t.status(phase)); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			j.Warn("the status of %s could not be set to pending: %s", m.Model, err)
		}
	}
	return j.Set("status", string(Pending))
}

// conclude ends what is pending where nobody can judge, so that nobody waits.
func conclude(ctx context.Context, j *runner.Job, open Open, token string) error {
	head, err := j.Event.Change()
	if err != nil {
		return err
	}
	github, err := open(j, token)
	if err != nil {
		return err
	}
	n, err := github.Conclude(ctx, head.Commit, j.Address())
	return errors.Join(err, j.Set("swept", fmt.Sprint(n)))
}

// sweep concludes statuses that a run which died left pending.
func sweep(ctx context.Context, j *runner.Job, open Open, token string, now time.Time) error {
	github, err := open(j, token)
	if err != nil {
		return err
	}
	n, err := github.Sweep(ctx, now.Add(-abandoned), j.Address())
	if err != nil {
		return err
	}
	return j.Set("swept", fmt.Sprint(n))
}

// said is a verdict in a few words of our own.
func said(r *report.Report) string {
	switch {
	case r.Unchanged && r.Verdict == verdict.Pass:
		return "PASS: the model is the one in production"
	case r.Verdict == verdict.Pass:
		return "PASS: not worse than production within the margins"
	case r.Verdict == verdict.Fail:
		return "FAIL: a gate does not hold"
	}
	return "INCONCLUSIVE: cannot tell"
}

// artifactName is what the workflows call a report; digits what GitHub calls a run.
var (
	artifactName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	digits       = regexp.MustCompile(`^[0-9]+$`)
)

// readReason reads why there is no report, as the job that judged left it; ""
// where it left nothing.
func readReason(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fault.Usage(fmt.Errorf("reading the reason: %w", err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", fault.Environment(fmt.Errorf("reading the reason: %w", err))
	}
	return strings.ToValidUTF8(strings.TrimSpace(string(text)), ""), nil
}

// failed writes why there is no verdict. What an earlier commit came to stays
// in the comment's memory only as far as that was a verdict.
func (t *told) failed(ctx context.Context, j *runner.Job, github GitHub, pull pullRequest) error {
	body := markdown.Failed(markdown.Failure{
		Model: report.Name(t.model), Environment: report.Name(t.env), Commit: report.Commit(t.head.Commit),
		Reason: report.NewProse(t.reason), Page: t.page, Trained: t.trained, Repository: t.repository,
	})
	written, err := github.Comment(ctx, pull.number, Comment{
		Model: t.model, Environment: t.env, Verdict: "NONE", Commit: t.head.Commit, Body: func(string) string { return body },
		Notice: fmt.Sprintf("`%s` for `%s` could not be judged. The comment above says why.", t.model, t.env),
	})
	if err != nil {
		return err
	}
	return j.Set("comment-url", cmp.Or(written, pull.address))
}

// markerRoom is left for the first lines: the one by which the comment is found
// again, and what we put before the report.
const markerRoom = 512

func (t *told) comment(ctx context.Context, j *runner.Job, github GitHub, pull pullRequest) error {
	if pull.err != nil {
		return pull.err
	}
	if pull.number == 0 {
		j.Notice("no comment: %s", pull.why)
		return nil
	}
	if err := j.Set("pull-request", fmt.Sprint(pull.number)); err != nil {
		return err
	}
	if t.report == nil {
		return t.failed(ctx, j, github, pull)
	}
	body := func(present string) string {
		text := markdown.Comment(t.report, markdown.Options{
			Limit: markdown.CommentLimit - markerRoom, Page: t.page, History: markdown.Recall(present), Remember: true,
			Repository: t.repository, Place: t.place,
		})
		if t.advises {
			text = "> `mode: advise`: this is advice and blocks nothing.\n\n" + text
		}
		return text
	}
	written, err := github.Comment(ctx, pull.number, Comment{
		Model: t.model, Environment: t.env, Verdict: string(t.report.Verdict), Commit: t.head.Commit, Body: body,
		Notice: fmt.Sprintf("`%s` for `%s` is now **%s**. The comment above says why.", t.model, t.env, t.report.Verdict),
		Quiet:  t.report.Unchanged && t.report.Verdict == verdict.Pass,
	})
	if err != nil {
		return err
	}
	if written == "" {
		written = pull.address
	}
	return j.Set("comment-url", written)
}
