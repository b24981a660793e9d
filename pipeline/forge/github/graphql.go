package github

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"
)

// queryError is an error that GraphQL answers with. kind is GitHub's type,
// such as FORBIDDEN or NOT_FOUND, "" where it gives none.
type queryError struct{ kind, message string }

func (e *queryError) Error() string {
	if e.kind == "" {
		return "GitHub says: " + e.message
	}
	return fmt.Sprintf("GitHub says: %s (%s)", e.message, e.kind)
}

// query sends one GraphQL request and decodes its data into out.
func (f *Forge) query(ctx context.Context, text string, variables map[string]any, out any) error {
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		return fmt.Errorf("encoding a query: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.graphql, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making a query: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "dosirak")
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := github.CheckResponse(resp); err != nil {
		return err
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	var decoded struct {
		Data   json.RawMessage `json:"data"`
		Errors []struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		return fmt.Errorf("decoding an answer: %w", err)
	}
	if len(decoded.Errors) > 0 {
		var messages []string
		for _, e := range decoded.Errors {
			messages = append(messages, e.Message)
		}
		return &queryError{kind: decoded.Errors[0].Type, message: strings.Join(messages, "; ")}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(decoded.Data, out); err != nil {
		return fmt.Errorf("decoding an answer: %w", err)
	}
	return nil
}

const whoQuery = `query who($owner: String!, $name: String!) {
  viewer { login }
  repository(owner: $owner, name: $name) { id }
}`

// who reads once who the token's owner is and how GitHub names the repository.
func (f *Forge) who(ctx context.Context) error {
	if f.id != "" && f.login != "" {
		return nil
	}
	var out struct {
		Viewer     struct{ Login string }
		Repository struct{ ID string }
	}
	if err := f.query(repeat(ctx), whoQuery, map[string]any{"owner": f.owner, "name": f.name}, &out); err != nil {
		return explain("asking whose token it is", need{"metadata", "read"}, err)
	}
	f.id, f.login = out.Repository.ID, out.Viewer.Login
	return nil
}

// us reports whether a login is the token's owner. An app's login ends in
// [bot] in REST and in viewer, and does not in GraphQL's actors, where its
// type says Bot.
func (f *Forge) us(login, kind string) bool {
	name, app := strings.CutSuffix(f.login, "[bot]")
	if !app {
		return login == f.login && kind != "Bot"
	}
	return kind == "Bot" && strings.TrimSuffix(login, "[bot]") == name
}
