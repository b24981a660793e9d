// Package githubtest is a GitHub for tests: REST and GraphQL behind a base
// path that is not empty, over a real bare Git repository, so that a `git
// clone` of Server.Dir shows what a pull request would show.
//
// # Design
//
// Every request and every response is validated against GitHub's own
// descriptions: its OpenAPI document and its GraphQL schema, pruned to what is
// used here by prune.py. An object that a handler answers with names only what
// the handler knows; the rest of the required fields is filled in from the
// schema. A call that no route matches, a request or an answer that does not
// fit the description, and a planned fault that never came about fail the
// test.
//
// The server is hostile by default (Hostile): pages of two, passing failures,
// limits with Retry-After, lists that lag behind. Calm turns that off for
// tests that count calls. Faults are planned one by one: a connection cut
// before or after the effect of the nth call, for once or for good, as when
// the calling process is killed.
//
// What GitHub does on its own is done here too: a pull request whose branch is
// deleted is closed, one that is closed keeps the head of that moment, one
// whose branch was moved since cannot be reopened, commits made through the
// API by an installation without author or date are signed, and so are those
// of createCommitOnBranch.
package githubtest
