package githubtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// graphQLCall is a GraphQL request.
type graphQLCall struct {
	name      string // of its first field, "pullRequests" for a repository's
	mutation  bool
	operation *ast.OperationDefinition
	variables map[string]any
}

// field is a field with arguments.
type field = func(arguments map[string]any) any

// parse validates a request against GitHub's schema.
func (s *Server) parse(body []byte) graphQLCall {
	var in struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		s.t.Errorf("githubtest: graphql: %v", err)
		return graphQLCall{name: "invalid"}
	}
	schema, err := graphQLSchema()
	if err != nil {
		s.t.Errorf("githubtest: graphql: %v", err)
		return graphQLCall{name: "invalid"}
	}
	document, errs := gqlparser.LoadQueryWithRules(schema, in.Query, nil)
	if len(errs) > 0 {
		s.t.Errorf("githubtest: graphql: the request does not fit GitHub's schema: %v\n%s", errs, in.Query)
		return graphQLCall{name: "invalid"}
	}
	operation := document.Operations[0]
	variables, err := validator.VariableValues(schema, operation, in.Variables)
	if err != nil {
		s.t.Errorf("githubtest: graphql: the variables do not fit GitHub's schema: %v", err)
		return graphQLCall{name: "invalid"}
	}
	c := graphQLCall{mutation: operation.Operation == ast.Mutation, operation: operation, variables: variables}
	c.name = operation.SelectionSet[0].(*ast.Field).Name
	if selects(operation.SelectionSet, "pullRequests") {
		c.name = "pullRequests"
	}
	return c
}

// selects reports whether a field is asked for at any depth.
func selects(selection ast.SelectionSet, name string) bool {
	return slices.ContainsFunc(selection, func(part ast.Selection) bool {
		f, ok := part.(*ast.Field)
		return ok && (f.Name == name || selects(f.SelectionSet, name))
	})
}

// graphQLError is an error in GitHub's form.
type graphQLError struct{ kind, message string }

// query answers a GraphQL request.
func (s *Server) query(w http.ResponseWriter, r *http.Request, token *Token, c graphQLCall) {
	if token == nil {
		s.refuse(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	if r.Method != http.MethodPost || c.operation == nil {
		s.refuse(w, http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	failed := func(e graphQLError) {
		_, _ = w.Write(marshal(object{
			"data":   object{c.name: nil},
			"errors": []object{{"type": e.kind, "path": []string{c.name}, "message": e.message}},
		}))
	}
	if s.lacking(c.name, token) != nil {
		failed(graphQLError{"FORBIDDEN", notAccessible(token)})
		return
	}
	var problem *graphQLError
	root := object{
		"viewer": object{"login": token.Login},
		"repository": field(func(a map[string]any) any {
			if a["owner"] != s.Owner || a["name"] != s.Name {
				problem = &graphQLError{"NOT_FOUND", fmt.Sprintf("Could not resolve to a Repository with the name '%s/%s'.", a["owner"], a["name"])}
				return nil
			}
			return object{"id": "R_1", "nameWithOwner": s.full(), "pullRequests": field(s.pullRequests), "object": field(s.objectOf)}
		}),
		"updateRefs": field(func(a map[string]any) any {
			problem = s.updateRefs(token, a["input"].(map[string]any))
			return object{"clientMutationId": nil}
		}),
		"createCommitOnBranch": field(func(a map[string]any) any {
			var sha string
			if sha, problem = s.createCommitOnBranch(token, a["input"].(map[string]any)); problem != nil {
				return nil
			}
			made, _ := s.git.read(sha)
			return object{"commit": object{"oid": sha, "message": made.message, "tree": object{"oid": made.tree}}}
		}),
	}
	data := project(c.operation.SelectionSet, root, c.variables)
	if problem != nil {
		failed(*problem)
		return
	}
	_, _ = w.Write(marshal(object{"data": data}))
}

// project picks what a selection asks for out of value.
func project(selection ast.SelectionSet, value any, variables map[string]any) any {
	switch v := value.(type) {
	case object:
		out := object{}
		for _, part := range selection {
			switch part := part.(type) {
			case *ast.Field:
				if include := part.Directives.ForName("include"); include != nil && include.ArgumentMap(variables)["if"] == false {
					continue
				}
				found := v[part.Name]
				if f, ok := found.(field); ok {
					found = f(part.ArgumentMap(variables))
				}
				out[part.Alias] = project(part.SelectionSet, found, variables)
			case *ast.InlineFragment:
				if v["__typename"] == part.TypeCondition {
					maps.Copy(out, project(part.SelectionSet, v, variables).(object))
				}
			}
		}
		return out
	case []object:
		out := []any{}
		for _, item := range v {
			out = append(out, project(selection, item, variables))
		}
		return out
	}
	return value
}

// pullRequests is a repository's connection of that name.
func (s *Server) pullRequests(a map[string]any) any {
	var found []*Pull
	for _, p := range slices.Backward(s.state.pulls) { // by creation, newest first
		states, _ := a["states"].([]any)
		if p.hidden > 0 {
			p.hidden--
			continue
		}
		if a["headRefName"] == p.Head && (a["baseRefName"] == nil || a["baseRefName"] == p.Base) && (states == nil || slices.Contains(states, any(strings.ToUpper(p.State)))) {
			found = append(found, p)
		}
	}
	from := 0
	if after, ok := a["after"].(string); ok {
		from, _ = strconv.Atoi(after)
	}
	first, _ := strconv.Atoi(fmt.Sprint(a["first"]))
	from = min(from, len(found))
	to := min(from+min(first, s.Behaviour.PageSize), len(found))
	nodes := []object{}
	for _, p := range found[from:to] {
		tip, _ := s.git.read(p.Commit)
		var labels []object
		for _, l := range p.Labels {
			labels = append(labels, object{"name": l})
		}
		events := []object{}
		if p.Closer != "" {
			// GraphQL's logins of apps come without [bot].
			events = append(events, object{"__typename": "ClosedEvent", "actor": object{"__typename": user(p.Closer)["type"], "login": strings.TrimSuffix(p.Closer, "[bot]")}, "createdAt": "2024-01-01T00:00:00Z"})
		}
		nodes = append(nodes, object{
			"number": p.Number, "url": fmt.Sprintf("%s/%s/pull/%d", s.http.URL, s.full(), p.Number), "state": strings.ToUpper(p.State),
			"title": p.Title, "body": p.Body, "headRefOid": p.Commit, "headRefName": p.Head, "baseRefName": p.Base,
			"headRepository": object{"nameWithOwner": p.Repository}, "isCrossRepository": p.Repository != s.full(), "author": object{"login": strings.TrimSuffix(p.Author, "[bot]")},
			"labels":        object{"nodes": labels},
			"commits":       object{"nodes": []object{{"commit": object{"oid": p.Commit, "message": tip.message}}}},
			"timelineItems": object{"nodes": events},
		})
	}
	return object{"nodes": nodes, "totalCount": len(found), "pageInfo": object{"hasNextPage": to < len(found), "hasPreviousPage": from > 0, "startCursor": strconv.Itoa(from), "endCursor": strconv.Itoa(to)}}
}

// objectOf is a repository's commit by its name, with its statuses.
func (s *Server) objectOf(a map[string]any) any {
	sha, _ := a["oid"].(string)
	c, ok := s.git.read(sha)
	if !ok {
		return nil
	}
	contexts := []object{}
	for _, st := range s.newest(sha) {
		contexts = append(contexts, object{"context": st.Context, "state": strings.ToUpper(st.State), "description": st.Description, "targetUrl": st.Target})
	}
	var status any
	if len(contexts) > 0 {
		status = object{"contexts": contexts}
	}
	return object{"__typename": "Commit", "oid": c.sha, "message": c.message, "status": status}
}

func (s *Server) closed(branch string) *graphQLError {
	if s.Protected != "" && strings.HasPrefix(branch, s.Protected) {
		return &graphQLError{"UNPROCESSABLE", "Repository rule violations found\n\nCannot update this protected ref."}
	}
	return nil
}

// updateRefs moves several refs or none.
func (s *Server) updateRefs(token *Token, in map[string]any) *graphQLError {
	if in["repositoryId"] != "R_1" {
		return &graphQLError{"NOT_FOUND", "Could not resolve to a node with the global id of " + fmt.Sprint(in["repositoryId"])}
	}
	type change struct{ branch, after, current string }
	var changes []change
	for _, update := range in["refUpdates"].([]any) {
		u := update.(map[string]any)
		name, after := u["name"].(string), u["afterOid"].(string)
		branch, ok := strings.CutPrefix(name, "refs/heads/")
		if !ok {
			return &graphQLError{"UNPROCESSABLE", name + " is not a fully qualified name"}
		}
		if e := s.closed(branch); e != nil {
			return e
		}
		current := s.git.ref(name)
		before, _ := u["beforeOid"].(string)
		if before != "" && before != current && (before != zero || current != "") {
			return &graphQLError{"UNPROCESSABLE", fmt.Sprintf("Reference update failed: %s is at %q but expected %q", name, current, before)}
		}
		if force, _ := u["force"].(bool); !force && current != "" && after != zero && !s.git.ancestor(current, after) {
			return &graphQLError{"UNPROCESSABLE", "Update is not a fast forward"}
		}
		changes = append(changes, change{branch, after, current})
	}
	for i, c := range changes {
		if err := s.git.setRef("refs/heads/"+c.branch, c.after); err != nil {
			for _, done := range changes[:i] {
				before := done.current
				if before == "" {
					before = zero
				}
				_ = s.git.setRef("refs/heads/"+done.branch, before)
			}
			return &graphQLError{"UNPROCESSABLE", "Reference update failed: " + err.Error()}
		}
	}
	for _, c := range changes {
		s.moved(c.branch, token.Login)
	}
	return nil
}

func (s *Server) createCommitOnBranch(token *Token, in map[string]any) (string, *graphQLError) {
	where := in["branch"].(map[string]any)
	branch, _ := where["branchName"].(string)
	if where["repositoryNameWithOwner"] != s.full() {
		return "", &graphQLError{"NOT_FOUND", "Could not resolve to a Repository"}
	}
	if e := s.closed(branch); e != nil {
		return "", e
	}
	tip := s.Branch(branch)
	if tip != in["expectedHeadOid"] {
		return "", &graphQLError{"STALE_DATA", fmt.Sprintf("Expected branch to point to %q but it did not. Pull and try again.", in["expectedHeadOid"])}
	}
	files := map[string]string{}
	if changes, ok := in["fileChanges"].(map[string]any); ok {
		for _, addition := range changes["additions"].([]any) {
			a := addition.(map[string]any)
			content, err := base64.StdEncoding.DecodeString(a["contents"].(string))
			if err != nil {
				return "", &graphQLError{"BAD_REQUEST", "contents is not base64"}
			}
			files[a["path"].(string)] = string(content)
		}
	}
	message := in["message"].(map[string]any)
	text := message["headline"].(string)
	if body, ok := message["body"].(string); ok {
		text += "\n\n" + body
	}
	sha := s.git.commit(s.git.tree(tip, files), []string{tip}, text, userOf(token.Login), webFlow)
	s.state.verified[sha] = true
	if err := s.git.setRef("refs/heads/"+branch, sha); err != nil {
		return "", &graphQLError{"UNPROCESSABLE", err.Error()}
	}
	s.moved(branch, token.Login)
	return sha, nil
}
