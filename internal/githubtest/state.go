package githubtest

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// state is what GitHub keeps beside Git.
type state struct {
	pulls       []*Pull  // oldest first
	issues      []*Issue // numbered together with the pull requests
	comments    []*Comment
	statuses    []*Status     // oldest first
	deployments []*Deployment // oldest first
	artifacts   []*Artifact
	storage     *httptest.Server // of the artifacts, once one was asked for
	ids         int
	verified    map[string]bool // commits with GitHub's signature
}

// Pull is a pull request.
type Pull struct {
	Number     int
	Title      string
	Body       string
	Head       string // branch
	Repository string // of the head, "owner/name"
	Base       string
	State      string // open, closed, merged
	Commit     string // its head; frozen when it was closed
	Author     string
	Closer     string
	Labels     []string
	Reviewers  []string
	hidden     int
}

// Issue is an issue that is no pull request.
type Issue struct {
	Number int
	Title  string
	Body   string
	State  string // open, closed
	Author string
	Labels []string
	hidden int
}

// Comment is a comment on a pull request or an issue.
type Comment struct {
	ID      int
	Pull    int
	Author  string
	Body    string
	Edits   int
	hidden  int
	created time.Time
}

// Status is a commit status.
type Status struct {
	SHA, Context, State, Description, Target, Creator string
	Updated                                           time.Time
	hidden                                            int
}

func (s *Server) number() int { return len(s.state.pulls) + len(s.state.issues) + 1 }

func (s *Server) byNumber(number int) *Pull {
	for _, p := range s.state.pulls {
		if p.Number == number {
			return p
		}
	}
	return nil
}

func (s *Server) id() int {
	s.state.ids++
	return 1000 + s.state.ids
}

// Pulls returns copies of all pull requests, oldest first.
func (s *Server) Pulls() []Pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Pull
	for _, p := range s.state.pulls {
		out = append(out, *p)
	}
	return out
}

// Issues returns copies of all issues, oldest first.
func (s *Server) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Issue
	for _, i := range s.state.issues {
		out = append(out, *i)
	}
	return out
}

// OpenPulls returns the pull requests that are open, forks' left out.
func (s *Server) OpenPulls() []Pull {
	return slices.DeleteFunc(s.Pulls(), func(p Pull) bool { return p.State != "open" || p.Repository != s.full() })
}

// Comments returns copies of the comments on a pull request, oldest first.
func (s *Server) Comments(pull int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Comment
	for _, c := range s.state.comments {
		if c.Pull == pull {
			out = append(out, *c)
		}
	}
	return out
}

// Statuses returns the newest status of each context of a commit, by context.
func (s *Server) Statuses(sha string) map[string]Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]Status{}
	for _, status := range s.state.statuses {
		if status.SHA == sha {
			out[status.Context] = *status
		}
	}
	return out
}

func (s *Server) full() string { return s.Owner + "/" + s.Name }

// Branch returns the commit of a branch, "" when there is none.
func (s *Server) Branch(name string) string { return s.git.ref("refs/heads/" + name) }

// Verified reports whether a commit bears GitHub's signature.
func (s *Server) Verified(sha string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.verified[sha]
}

// File returns a file's content in a commit or branch, trimmed.
func (s *Server) File(commit, path string) string {
	c, ok := s.git.read(s.git.resolve(commit))
	require.True(s.t, ok, "no commit %s", commit)
	content, ok := s.git.get("blob", s.git.files(c.tree)[path].sha)
	require.True(s.t, ok, "no file %s in %s", path, commit)
	return strings.TrimSpace(string(content))
}

// moved does what GitHub does when a branch moves or goes.
func (s *Server) moved(branch, actor string) {
	tip := s.Branch(branch)
	for _, p := range s.state.pulls {
		if p.Head != branch || p.State != "open" || p.Repository != s.full() {
			continue
		}
		base := s.Branch(p.Base)
		switch {
		case tip == "":
			p.State, p.Closer = "closed", actor
		case base != "" && s.git.ancestor(tip, base):
			// Nothing is left to merge. After a merge made elsewhere GitHub shows
			// the pull request as merged; after a reset to the base as closed.
			p.State, p.Closer = "closed", actor
			if s.git.ancestor(p.Commit, base) {
				p.State = "merged"
			}
		default:
			p.Commit = tip
		}
	}
	for _, p := range s.state.pulls {
		if p.Base == branch && p.State == "open" && tip != "" && s.git.ancestor(p.Commit, tip) {
			p.State = "merged"
		}
	}
}

// movedByHand is moved by somebody who has the branch's pull requests before
// their eyes.
func (s *Server) movedByHand(branch string) {
	for _, p := range s.state.pulls {
		if p.Head == branch {
			p.hidden = 0
		}
	}
	s.moved(branch, human.login())
}

// The rest is what people do, on GitHub's pages or by git push.

// Push commits files on a branch as a human, on top of what is there or of
// main.
func (s *Server) Push(branch, message string, files map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.Branch(branch)
	if from == "" {
		from = s.Branch(s.Default)
	}
	sha := s.git.commit(s.git.tree(from, files), []string{from}, message, human, human)
	require.NoError(s.t, s.git.setRef("refs/heads/"+branch, sha))
	s.movedByHand(branch)
	return sha
}

// Amend replaces the tip of a branch by one with other files and the same
// message, as `git commit --amend` and a forced push do.
func (s *Server) Amend(branch string, files map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	tip, _ := s.git.read(s.Branch(branch))
	sha := s.git.commit(s.git.tree(tip.sha, files), tip.parents, tip.message, tip.author, human)
	require.NoError(s.t, s.git.setRef("refs/heads/"+branch, sha))
	s.movedByHand(branch)
	return sha
}

// UpdateBranch is the button of that name on a pull request: the base is merged
// into its branch. edits are what a human changes on the way, as when conflicts
// are resolved in the browser.
func (s *Server) UpdateBranch(number int, edits map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.seen(number)
	base := s.Branch(p.Base)
	tip, _ := s.git.read(p.Commit)
	fork, _ := s.git.read(s.git.mergeBase(base, tip.sha))
	onto, _ := s.git.read(base)
	before, files := s.git.files(fork.tree), s.git.files(onto.tree)
	for path, e := range s.git.files(tip.tree) {
		if before[path] != e {
			files[path] = e
		}
	}
	for path, text := range edits {
		files[path] = entry{mode: "100644", sha: s.git.blob([]byte(text))}
	}
	message := fmt.Sprintf("Merge branch '%s' into %s", p.Base, p.Head)
	sha := s.git.commit(s.git.treeOf(files), []string{tip.sha, base}, message, human, webFlow)
	s.state.verified[sha] = true
	require.NoError(s.t, s.git.setRef("refs/heads/"+p.Head, sha))
	s.movedByHand(p.Head)
	return sha
}

// SetBranch points a branch to a commit, "" deletes it.
func (s *Server) SetBranch(branch, commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if commit == "" {
		require.NoError(s.t, s.git.setRef("refs/heads/"+branch, zero))
	} else {
		require.NoError(s.t, s.git.setRef("refs/heads/"+branch, commit))
	}
	s.movedByHand(branch)
}

// OpenPull opens a pull request as somebody, from a branch of repository (""
// is this one) at a commit.
func (s *Server) OpenPull(login, repository, branch, commit string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if repository == "" {
		repository = s.full()
	}
	p := &Pull{Number: s.number(), Title: "A change", Head: branch, Repository: repository, Base: s.Default, State: "open", Commit: commit, Author: login}
	s.state.pulls = append(s.state.pulls, p)
	return p.Number
}

// seen returns a pull request that somebody has before their eyes: no list is
// behind any more.
func (s *Server) seen(number int) *Pull {
	p := s.byNumber(number)
	require.NotNil(s.t, p, "no pull request %d", number)
	p.hidden = 0
	return p
}

// Close closes a pull request as a human.
func (s *Server) Close(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.seen(number)
	if p.State == "open" {
		p.State, p.Closer = "closed", human.login()
	}
}

// Reopen reopens a pull request and reports whether GitHub allows it.
func (s *Server) Reopen(number int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.seen(number)
	if p.State != "closed" || s.Branch(p.Head) != p.Commit {
		return false
	}
	for _, other := range s.state.pulls {
		if other.State == "open" && other.Head == p.Head && other.Base == p.Base && other.Repository == p.Repository {
			return false
		}
	}
	p.State = "open"
	return true
}

// Merge merges a pull request: with squash, as one new commit on the base.
func (s *Server) Merge(number int, squash bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.seen(number)
	base := s.Branch(p.Base)
	tip, _ := s.git.read(p.Commit)
	fork, _ := s.git.read(s.git.mergeBase(base, tip.sha))
	onto, _ := s.git.read(base)
	before, files := s.git.files(fork.tree), s.git.files(onto.tree)
	for path, e := range s.git.files(tip.tree) {
		if before[path] != e {
			files[path] = e
		}
	}
	parents := []string{base, tip.sha}
	message := fmt.Sprintf("Merge pull request #%d", number)
	if squash {
		parents, message = parents[:1], tip.message
	}
	sha := s.git.commit(s.git.treeOf(files), parents, message, human, webFlow)
	p.State = "merged"
	require.NoError(s.t, s.git.setRef("refs/heads/"+p.Base, sha))
	s.moved(p.Base, human.login())
	return sha
}

// Label gives a pull request a label.
func (s *Server) Label(number int, label string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.seen(number)
	if !slices.Contains(p.Labels, label) {
		p.Labels = append(p.Labels, label)
	}
}

// Comment leaves a comment as somebody, some time ago.
func (s *Server) Comment(pull int, login, body string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.comment(pull, login, body)
	c.created = c.created.Add(-time.Hour)
	return c.ID
}

func (s *Server) comment(pull int, login, body string) *Comment {
	c := &Comment{ID: s.id(), Pull: pull, Author: login, Body: body, created: time.Now().UTC()}
	s.state.comments = append(s.state.comments, c)
	return c
}

// DeleteComment deletes a comment as a human with the right to do so.
func (s *Server) DeleteComment(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.comments = slices.DeleteFunc(s.state.comments, func(c *Comment) bool { return c.ID == id })
}

// SetStatus sets a status, dated as it likes.
func (s *Server) SetStatus(status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.statuses = append(s.state.statuses, &status)
}
