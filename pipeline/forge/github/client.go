package github

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// Options say which repository and with which token.
type Options struct {
	API        string // as GITHUB_API_URL has it; "" is github.com's
	Repository string // "owner/name"
	Token      string
	Folder     string // of the project below the top of the repository, "" or "a/b/"

	// Given to a promotion's pull request when it is opened.
	Labels    []string
	Reviewers []string
	Teams     []string // slugs

	Transport http.RoundTripper // nil is the usual one

	// Sleep, Now and Jitter are the clock between attempts; nil is the real one.
	Sleep  func(context.Context, time.Duration) error
	Now    func() time.Time
	Jitter func() float64

	// Say tells the reader of the log that a limit is waited for; nil is silent.
	Say func(string)
}

// Forge is one repository on GitHub, as one token sees it. It remembers what it
// read for the length of a run, and is not safe for concurrent use.
type Forge struct {
	options     Options
	owner, name string
	rest        *github.Client
	graphql     string
	http        *http.Client
	transport   *transport

	id     string            // node id of the repository, once read
	login  string            // of the token's owner, once read
	trees  map[string]string // commit -> tree, as read
	drafts map[string]string // commit -> branch that holds it until it is moved

	present map[string][]statusContext // commit -> its statuses, as FindPull read them
}

var (
	_ promote.Forge        = (*Forge)(nil)
	_ promote.PullRequests = (*Forge)(nil)
)

const (
	attempts = 5
	// A limit is waited for up to longestWait, and all of them up to totalWait: a
	// runner's minutes are paid for.
	longestWait = 2 * time.Minute
	totalWait   = 10 * time.Minute
)

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$`)

// New returns the forge of a repository. Nothing is called yet.
func New(o Options) (*Forge, error) {
	if !repositoryName.MatchString(o.Repository) {
		return nil, fault.NoToken.Usage(fmt.Errorf("the GitHub repository is %q, not owner/name: set GITHUB_REPOSITORY", o.Repository))
	}
	if o.Token == "" {
		return nil, fault.NoToken.Usage(fmt.Errorf("there is no token for GitHub: set GITHUB_TOKEN, in a workflow to ${{ github.token }}"))
	}
	if o.API == "" {
		o.API = "https://api.github.com"
	}
	api, err := url.Parse(strings.TrimSuffix(o.API, "/") + "/")
	if err != nil || api.Host == "" {
		return nil, fault.NoToken.Usage(fmt.Errorf("the address of GitHub's API is %q, not one such as https://api.github.com: set GITHUB_API_URL", o.API))
	}
	f := &Forge{options: o, trees: map[string]string{}, drafts: map[string]string{}, present: map[string][]statusContext{}}
	f.owner, f.name, _ = strings.Cut(o.Repository, "/")
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	// https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql:
	// REST is at /api/v3 there, GraphQL at /api/graphql.
	graphql := *api
	graphql.Path = strings.TrimSuffix(graphql.Path, "v3/") + "graphql"
	f.graphql = graphql.String()
	f.transport = &transport{
		base: o.Transport, host: api.Host, graphql: graphql.Path, token: o.Token, attempts: attempts, sleep: o.Sleep, jitter: o.Jitter,
		limits: &limits{longest: longestWait, total: totalWait, sleep: o.Sleep, now: o.Now, say: o.Say, spent: map[string]time.Time{}},
	}
	f.http = &http.Client{Transport: f.transport, Timeout: 10 * time.Minute}
	f.rest = github.NewClient(f.http)
	f.rest.BaseURL = api
	f.rest.UserAgent = "dosirak"
	return f, nil
}

// PullRequests returns the forge itself.
func (f *Forge) PullRequests() promote.PullRequests { return f }

// pause waits between two looks at something that may not have settled.
func (f *Forge) pause(ctx context.Context, attempt int) error {
	return f.transport.sleep(ctx, f.transport.backoff(attempt))
}
