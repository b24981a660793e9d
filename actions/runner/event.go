package runner

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Kind of an event, as GITHUB_EVENT_NAME has it.
type Kind string

const (
	PullRequest Kind = "pull_request"
	WorkflowRun Kind = "workflow_run"
	MergeGroup  Kind = "merge_group"
	Push        Kind = "push"
)

// Head is the change that a run is about. Nothing in it comes from the change
// itself: GitHub wrote the event.
type Head struct {
	Repository string // "owner/name" that holds the branch; a fork's for a fork
	Branch     string
	Commit     string
}

// Event is what started the workflow.
type Event struct {
	Kind Kind
	Head Head // zero where the event names no change
	// Fork says that the change comes from another repository: its workflow has
	// no secrets and a token that can only read.
	Fork bool
	// Pull says that the change is a pull request's.
	Pull bool
	Base string // branch that it is for, "" when it is not said
	// BaseCommit is the base branch's head when the event was made, Before what
	// a push replaced; "" when the event does not name it.
	BaseCommit, Before string

	// Of workflow_run:
	Action     string // requested, in_progress, completed
	Conclusion string // success, failure, cancelled, ...
	RunID      int64
	RunURL     string
}

// maxEvent bounds an event's file. GitHub caps payloads at 25 MB.
const maxEvent = 25 << 20

var (
	commitName     = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$`)
)

type payload struct {
	Action string `json:"action"`
	Before string `json:"before"`
	Pull   *struct {
		Head struct {
			Ref  string      `json:"ref"`
			SHA  string      `json:"sha"`
			Repo *repository `json:"repo"` // null: the fork is gone
		} `json:"head"`
		Base struct {
			Ref string `json:"ref"`
			SHA string `json:"sha"`
		} `json:"base"`
	} `json:"pull_request"`
	Run *struct {
		ID         int64       `json:"id"`
		URL        string      `json:"html_url"`
		Event      string      `json:"event"`
		Conclusion string      `json:"conclusion"`
		HeadSHA    string      `json:"head_sha"`
		HeadBranch string      `json:"head_branch"`
		Repo       *repository `json:"head_repository"`
	} `json:"workflow_run"`
	Group *struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
		BaseRef string `json:"base_ref"`
		BaseSHA string `json:"base_sha"`
	} `json:"merge_group"`
}

type repository struct {
	Name string `json:"full_name"`
}

// readEvent reads the event of the workflow; outside of one it is zero.
func readEvent(getenv func(string) string) (Event, error) {
	path, ours := getenv("GITHUB_EVENT_PATH"), getenv("GITHUB_REPOSITORY")
	e := Event{Kind: Kind(getenv("GITHUB_EVENT_NAME"))}
	if path == "" {
		return e, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return e, fault.Environment(fmt.Errorf("reading the event: %w", err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxEvent+1))
	if err != nil {
		return e, fault.Environment(fmt.Errorf("reading the event: %w", err))
	}
	var p payload
	if len(data) > maxEvent {
		return e, fault.WrongEvent.Usage(fmt.Errorf("reading the event: it has more than %d bytes", maxEvent))
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return e, fault.WrongEvent.Usage(fmt.Errorf("reading the event: %w", err))
	}
	e.Action = p.Action
	name := func(r *repository) string {
		if r == nil {
			return ""
		}
		return r.Name
	}
	switch {
	case e.Kind == PullRequest && p.Pull != nil:
		e.Head = Head{name(p.Pull.Head.Repo), p.Pull.Head.Ref, p.Pull.Head.SHA}
		e.Base, e.BaseCommit, e.Pull = p.Pull.Base.Ref, known(p.Pull.Base.SHA), true
	case e.Kind == WorkflowRun && p.Run != nil:
		e.Head = Head{name(p.Run.Repo), p.Run.HeadBranch, p.Run.HeadSHA}
		e.Pull = p.Run.Event == string(PullRequest)
		e.Conclusion, e.RunID, e.RunURL = p.Run.Conclusion, p.Run.ID, p.Run.URL
	case e.Kind == MergeGroup && p.Group != nil:
		e.Head = Head{ours, strings.TrimPrefix(p.Group.HeadRef, "refs/heads/"), p.Group.HeadSHA}
		e.Base, e.BaseCommit = strings.TrimPrefix(p.Group.BaseRef, "refs/heads/"), known(p.Group.BaseSHA)
	case e.Kind == Push:
		e.Head, e.Before = Head{ours, getenv("GITHUB_REF_NAME"), getenv("GITHUB_SHA")}, known(p.Before)
	default:
		return e, nil
	}
	e.Fork = !strings.EqualFold(e.Head.Repository, ours)
	if !strings.HasPrefix(e.RunURL, "https://") {
		e.RunURL = ""
	}
	return e, e.check()
}

// known returns a commit's name, "" for what is none: a branch's first push
// names zeros.
func known(commit string) string {
	if !commitName.MatchString(commit) || strings.Trim(commit, "0") == "" {
		return ""
	}
	return commit
}

// check refuses an event whose head is not of the form that GitHub gives it.
func (e Event) check() error {
	if !commitName.MatchString(e.Head.Commit) {
		return fault.WrongEvent.Usage(fmt.Errorf("the event %s names the commit %q, which is none", e.Kind, e.Head.Commit))
	}
	if e.Head.Repository != "" && !repositoryName.MatchString(e.Head.Repository) {
		return fault.WrongEvent.Usage(fmt.Errorf("the event %s names the repository %q, which is none", e.Kind, e.Head.Repository))
	}
	return nil
}

// Change returns the head of an event that is about a change.
func (e Event) Change() (Head, error) {
	if e.Head.Commit == "" {
		return Head{}, fault.WrongEvent.Usage(fmt.Errorf("the event %q is about no change: use this action in a workflow on pull_request, workflow_run, merge_group or push", e.Kind))
	}
	return e.Head, nil
}
