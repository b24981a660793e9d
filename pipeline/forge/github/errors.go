package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// need is a permission of a token, as a workflow writes it.
type need struct{ name, level string }

var (
	readContents  = need{"contents", "read"}
	writeContents = need{"contents", "write"}
	readPulls     = need{"pull-requests", "read"}
	writePulls    = need{"pull-requests", "write"}
	readStatuses  = need{"statuses", "read"}
	writeStatuses = need{"statuses", "write"}
)

// PermissionError is a bare 401, 403 or 404 in other words: what the token may
// not do, and where that is changed.
type PermissionError struct {
	Doing      string // "opening the pull request"
	Permission string // "pull-requests: write", "" when it is not about one
	Reason     string // what GitHub said
	Remedy     string // where to change what
}

func (e *PermissionError) Error() string {
	if e.Permission == "" {
		return fmt.Sprintf("%s: %s: %s", e.Doing, e.Reason, e.Remedy)
	}
	return fmt.Sprintf("%s: the token lacks the permission %s (GitHub says: %s): %s", e.Doing, e.Permission, e.Reason, e.Remedy)
}

// lacks makes the error of a missing permission.
func lacks(doing string, n need, reason string) *PermissionError {
	level := "read-only"
	if n.level == "write" {
		level = "read and write"
	}
	permission := n.name + ": " + n.level
	return &PermissionError{Doing: doing, Permission: permission, Reason: reason, Remedy: fmt.Sprintf(
		"with GITHUB_TOKEN write `%s` under the job's permissions; give an app or a fine-grained token the repository permission %q (%s); a classic token needs the scope repo. Pull requests from forks never get it",
		permission, strings.ReplaceAll(n.name, "-", " "), level)}
}

// explain turns an error of a call into one that says what to do.
func explain(doing string, n need, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	var limit *limitError
	if errors.As(err, &limit) {
		return fault.RateLimited.Environment(fmt.Errorf("%s: %w", doing, limit))
	}
	var query *queryError
	if errors.As(err, &query) {
		switch query.kind {
		case "FORBIDDEN":
			return fault.MissingPermission.Usage(lacks(doing, n, query.message))
		case "NOT_FOUND":
			return fault.MissingPermission.Usage(lacks(doing, n, query.message))
		case "":
			return fault.Environment(fmt.Errorf("%s: %w", doing, err))
		}
		return fault.Usage(fmt.Errorf("%s: %w", doing, err))
	}
	var refused *github.ErrorResponse
	if !errors.As(err, &refused) || refused.Response == nil {
		return fault.GitHubUnreachable.Environment(fmt.Errorf("%s: GitHub could not be reached: %w", doing, err))
	}
	return explainStatus(doing, n, refused)
}

func explainStatus(doing string, n need, refused *github.ErrorResponse) error {
	reason := refused.Message
	for _, e := range refused.Errors {
		reason = strings.TrimSpace(reason + " " + e.Field + " " + e.Message)
	}
	// What GitHub itself says is needed is better than our own table.
	// https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
	if accepted := refused.Response.Header.Get("X-Accepted-GitHub-Permissions"); accepted != "" {
		for _, alternative := range strings.FieldsFunc(accepted, func(r rune) bool { return r == ';' || r == ',' }) {
			if name, level, ok := strings.Cut(strings.TrimSpace(alternative), "="); ok && strings.ReplaceAll(name, "_", "-") == n.name {
				n.level = level
			}
		}
	}
	status := refused.Response.StatusCode
	switch {
	case status == http.StatusUnauthorized:
		return fault.TokenRefused.Usage(&PermissionError{Doing: doing, Reason: "GitHub does not accept the token (" + reason + ")", Remedy: "pass ${{ github.token }}, or a token that has not expired"})
	case strings.Contains(reason, "not permitted to create or approve pull requests"):
		return fault.RefusedByRule.Usage(&PermissionError{Doing: doing, Reason: reason, Remedy: "allow it in the repository's Settings, Actions, General, \"Allow GitHub Actions to create and approve pull requests\", or pass the token of an app"})
	case strings.Contains(reason, "SAML"):
		return fault.TokenRefused.Usage(&PermissionError{Doing: doing, Reason: reason, Remedy: "authorise the token for the organisation's single sign-on"})
	case strings.Contains(reason, "locked"):
		return fault.RefusedByRule.Usage(&PermissionError{Doing: doing, Reason: reason, Remedy: "unlock the conversation"})
	case strings.Contains(reason, "archived"):
		return fault.RefusedByRule.Usage(&PermissionError{Doing: doing, Reason: reason, Remedy: "an archived repository cannot be changed"})
	case status == http.StatusForbidden:
		return fault.MissingPermission.Usage(lacks(doing, n, reason))
	case status == http.StatusNotFound:
		return fault.MissingPermission.Usage(&PermissionError{Doing: doing, Reason: "GitHub says 404: it is not there, or the token may not see it", Remedy: lacks(doing, n, "").Remedy})
	case status >= 500:
		return fault.GitHubUnreachable.Environment(fmt.Errorf("%s: GitHub answered %d: run again", doing, status))
	}
	return fault.Usage(fmt.Errorf("%s: GitHub refuses it (%d): %s", doing, status, reason))
}

// unclear reports whether a call may have had its effect although it failed.
func unclear(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var refused *github.ErrorResponse
	if errors.As(err, &refused) && refused.Response != nil {
		return refused.Response.StatusCode >= 500
	}
	var query *queryError
	if errors.As(err, &query) {
		return query.kind == ""
	}
	return !limited(err)
}

// status returns the HTTP status of a failed call, 0 when there is none.
func status(err error) int {
	var refused *github.ErrorResponse
	if errors.As(err, &refused) && refused.Response != nil {
		return refused.Response.StatusCode
	}
	return 0
}
