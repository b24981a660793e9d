package githubtest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (s *Server) issueObject(i *Issue) object {
	labels := []object{}
	for _, l := range i.Labels {
		labels = append(labels, object{"name": l})
	}
	return object{"number": i.Number, "title": i.Title, "body": i.Body, "state": i.State, "user": user(i.Author), "labels": labels}
}

// numbered returns the number of the issue or pull request that is called,
// 0 when there is none.
func (s *Server) numbered(r request) int {
	if p := s.pull(r, "issue_number"); p != nil {
		return p.Number
	}
	if i := s.issue(r); i != nil {
		return i.Number
	}
	return 0
}

func (s *Server) issue(r request) *Issue {
	for _, i := range s.state.issues {
		if strconv.Itoa(i.Number) == r.params["issue_number"] {
			return i
		}
	}
	return nil
}

func words(list any) (out []string) {
	items, _ := list.([]any)
	for _, item := range items {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// listIssues leaves out the pull requests that GitHub lists among the issues.
func listIssues(s *Server, r request) (int, any) {
	query := r.URL.Query()
	state := query.Get("state")
	if state == "" {
		state = "open"
	}
	found := []object{}
	for _, i := range slices.Backward(s.state.issues) {
		if i.hidden > 0 {
			i.hidden--
			continue
		}
		label := query.Get("labels")
		if state != "all" && i.State != state || label != "" && !slices.Contains(i.Labels, label) || query.Get("creator") != "" && query.Get("creator") != i.Author {
			continue
		}
		found = append(found, s.issueObject(i))
	}
	return http.StatusOK, page(s, r, found)
}

func createIssue(s *Server, r request) (int, any) {
	title, _ := r.body["title"].(string)
	body, _ := r.body["body"].(string)
	i := &Issue{Number: s.number(), Title: title, Body: body, State: "open", Author: r.token.Login, Labels: words(r.body["labels"]), hidden: s.Behaviour.Stale}
	s.state.issues = append(s.state.issues, i)
	return http.StatusCreated, s.issueObject(i)
}

func getIssue(s *Server, r request) (int, any) {
	i := s.issue(r)
	if i == nil {
		return notFound("Not Found")
	}
	return http.StatusOK, s.issueObject(i)
}

func updateIssue(s *Server, r request) (int, any) {
	i := s.issue(r)
	if i == nil {
		return notFound("Not Found")
	}
	for field, to := range map[string]*string{"title": &i.Title, "body": &i.Body, "state": &i.State} {
		if text, ok := r.body[field].(string); ok {
			*to = text
		}
	}
	return http.StatusOK, s.issueObject(i)
}

func (s *Server) commentObject(c *Comment) object {
	return object{"id": c.ID, "body": c.Body, "user": user(c.Author), "created_at": c.created.Format(time.RFC3339)}
}

func listComments(s *Server, r request) (int, any) {
	number := s.numbered(r)
	if number == 0 {
		return notFound("Not Found")
	}
	since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
	found := []object{}
	for _, c := range s.state.comments {
		if c.Pull != number || c.created.Before(since) {
			continue
		}
		if c.hidden > 0 {
			if n := r.URL.Query().Get("page"); n == "" || n == "1" {
				c.hidden--
			}
			continue
		}
		found = append(found, s.commentObject(c))
	}
	return http.StatusOK, page(s, r, found)
}

func createComment(s *Server, r request) (int, any) {
	number := s.numbered(r)
	if number == 0 {
		return notFound("Not Found")
	}
	body := r.body["body"].(string)
	if len([]rune(body)) > 65536 {
		return unprocessable("IssueComment", "body", "custom", "body is too long (maximum is 65536 characters)")
	}
	c := s.comment(number, r.token.Login, body)
	c.hidden = s.Behaviour.Stale
	return http.StatusCreated, s.commentObject(c)
}

func (s *Server) commentOf(r request) *Comment {
	for _, c := range s.state.comments {
		if strconv.Itoa(c.ID) == r.params["comment_id"] {
			return c
		}
	}
	return nil
}

func updateComment(s *Server, r request) (int, any) {
	c := s.commentOf(r)
	if c == nil {
		return notFound("Not Found")
	}
	if c.Author != r.token.Login && r.token.Permissions["admin"] == "" && r.token.Kind == Personal {
		return http.StatusForbidden, object{"message": "Must have admin rights to Repository.", "documentation_url": "https://docs.github.com/rest", "status": "403"}
	}
	c.Body = r.body["body"].(string)
	c.Edits++
	return http.StatusOK, s.commentObject(c)
}

func deleteComment(s *Server, r request) (int, any) {
	c := s.commentOf(r)
	if c == nil {
		return notFound("Not Found")
	}
	s.state.comments = slices.DeleteFunc(s.state.comments, func(o *Comment) bool { return o == c })
	return http.StatusNoContent, nil
}

func (s *Server) statusObject(st *Status) object {
	return object{"context": st.Context, "state": st.State, "description": st.Description, "target_url": st.Target, "creator": user(st.Creator), "updated_at": st.Updated.UTC().Format(time.RFC3339), "created_at": st.Updated.UTC().Format(time.RFC3339)}
}

func combinedStatus(s *Server, r request) (int, any) {
	sha := s.git.resolve(r.params["ref"])
	if sha == "" {
		return notFound("Not Found")
	}
	list := []object{}
	state := "success"
	for _, st := range s.newest(sha) {
		if st.State != "success" {
			state = "pending"
		}
		list = append(list, s.statusObject(st))
	}
	return http.StatusOK, object{"sha": sha, "state": state, "total_count": len(list), "statuses": page(s, r, list), "repository": s.repository()}
}

// newest lists the newest status of each context of a commit, oldest context
// first.
func (s *Server) newest(sha string) []*Status {
	at := map[string]int{}
	var list []*Status
	for _, st := range s.state.statuses {
		if st.SHA != sha {
			continue
		}
		if st.hidden > 0 {
			st.hidden--
			continue
		}
		if i, there := at[st.Context]; there {
			list[i] = st
			continue
		}
		at[st.Context] = len(list)
		list = append(list, st)
	}
	return list
}

func createStatus(s *Server, r request) (int, any) {
	context, _ := r.body["context"].(string)
	if len(r.body["state"].(string)) == 0 {
		return unprocessable("Status", "state", "missing_field", "")
	}
	if d, ok := r.body["description"].(string); ok && len([]rune(d)) > 140 {
		return unprocessable("Status", "description", "custom", "description is too long (maximum is 140 characters)")
	}
	if _, ok := s.git.read(r.params["sha"]); !ok {
		return http.StatusUnprocessableEntity, object{"message": "No commit found for SHA: " + r.params["sha"], "documentation_url": "https://docs.github.com/rest", "status": "422"}
	}
	description, _ := r.body["description"].(string)
	target, _ := r.body["target_url"].(string)
	st := &Status{SHA: r.params["sha"], Context: context, State: r.body["state"].(string), Description: description, Target: target, Creator: r.token.Login, Updated: time.Now().UTC(), hidden: s.Behaviour.Stale}
	s.state.statuses = append(s.state.statuses, st)
	return http.StatusCreated, s.statusObject(st)
}
