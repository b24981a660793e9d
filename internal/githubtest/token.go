package githubtest

import (
	"net/http"
	"slices"
	"strings"
)

// Kind of a token. What GitHub signs depends on it.
type Kind string

const (
	Installation Kind = "ghs_"        // GITHUB_TOKEN, or a GitHub App's
	Personal     Kind = "github_pat_" // a fine-grained personal access token
)

// Token is a credential with its permissions: "contents" -> "write".
type Token struct {
	Text        string
	Kind        Kind
	Login       string // as in REST: an app's ends in [bot]
	Permissions map[string]string
}

// Token issues a token. Permissions are written "contents=write"; metadata is
// always readable.
func (s *Server) Token(kind Kind, login string, permissions ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := &Token{Text: string(kind) + strings.Repeat("x", 20) + login, Kind: kind, Login: login, Permissions: map[string]string{"metadata": "read"}}
	for _, p := range permissions {
		name, level, _ := strings.Cut(p, "=")
		token.Permissions[name] = level
	}
	s.tokens[token.Text] = token
	return token.Text
}

// Bot is the login of GITHUB_TOKEN.
const Bot = "github-actions[bot]"

// Actions issues a GITHUB_TOKEN with what a promotion needs.
func (s *Server) Actions() string {
	return s.Token(Installation, Bot, "contents=write", "pull_requests=write", "issues=write", "statuses=write", "deployments=write")
}

func (t *Token) may(permission, level string) bool {
	if t == nil {
		return level == "read"
	}
	has := t.Permissions[permission]
	return has == "write" || has == level
}

// permissions says what an operation needs; any one of several is enough.
// https://docs.github.com/rest/authentication/permissions-required-for-github-apps
var permissions = map[string][]string{
	"repos/get":                           {"metadata=read"},
	"repos/get-branch-rules":              {"metadata=read"},
	"repos/get-branch":                    {"contents=read"},
	"repos/get-commit":                    {"contents=read"},
	"repos/compare-commits-with-basehead": {"contents=read"},
	"git/get-ref":                         {"contents=read"},
	"git/list-matching-refs":              {"contents=read"},
	"git/get-commit":                      {"contents=read"},
	"git/create-blob":                     {"contents=write"},
	"git/create-tree":                     {"contents=write"},
	"git/create-commit":                   {"contents=write"},
	"updateRefs":                          {"contents=write"},
	"createCommitOnBranch":                {"contents=write"},
	"pullRequests":                        {"pull_requests=read"},
	"viewer":                              {"metadata=read"},
	"pulls/list":                          {"pull_requests=read"},
	"pulls/get":                           {"pull_requests=read"},
	"pulls/create":                        {"pull_requests=write"},
	"pulls/update":                        {"pull_requests=write"},
	"pulls/request-reviewers":             {"pull_requests=write"},
	"issues/list-for-repo":                {"issues=read"},
	"issues/create":                       {"issues=write"},
	"issues/get":                          {"issues=read"},
	"issues/update":                       {"issues=write"},
	"issues/list-comments":                {"issues=read", "pull_requests=read"},
	"issues/create-comment":               {"issues=write", "pull_requests=write"},
	"issues/update-comment":               {"issues=write", "pull_requests=write"},
	"issues/delete-comment":               {"issues=write", "pull_requests=write"},
	"issues/add-labels":                   {"issues=write", "pull_requests=write"},
	"repos/get-combined-status-for-ref":   {"statuses=read"},
	"repos/create-commit-status":          {"statuses=write"},
}

// lacking returns the permissions of which the token has none, nil when it
// may do the operation.
func (s *Server) lacking(operation string, token *Token) []string {
	need := permissions[operation]
	if slices.ContainsFunc(need, func(p string) bool {
		name, level, _ := strings.Cut(p, "=")
		return token.may(name, level)
	}) {
		return nil
	}
	return need
}

// forbidden refuses a call that its token does not allow, in the way GitHub
// does, and reports whether it did.
func (s *Server) forbidden(w http.ResponseWriter, operation string, token *Token, given bool) bool {
	need := s.lacking(operation, token)
	switch {
	case token == nil && given:
		s.refuse(w, http.StatusUnauthorized, "Bad credentials")
	case s.Private && (token == nil || token.Permissions["contents"] == ""):
		s.refuse(w, http.StatusNotFound, "Not Found")
	case token == nil && need != nil:
		s.refuse(w, http.StatusUnauthorized, "Requires authentication")
	case need == nil:
		return false
	default:
		w.Header().Set("X-Accepted-GitHub-Permissions", strings.Join(need, "; "))
		s.refuse(w, http.StatusForbidden, notAccessible(token))
	}
	return true
}

func notAccessible(token *Token) string {
	if token != nil && token.Kind == Personal {
		return "Resource not accessible by personal access token"
	}
	return "Resource not accessible by integration"
}
