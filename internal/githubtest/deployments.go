package githubtest

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Deployment is what somebody says about an environment.
type Deployment struct {
	ID          int
	SHA         string
	Environment string
	Task        string
	Payload     any
	Creator     string
	Statuses    []DeploymentStatus // oldest first
	hidden      int
}

// DeploymentStatus is one status of a deployment.
type DeploymentStatus struct{ State, Description, Address string }

// Deployments returns copies of all deployments, oldest first.
func (s *Server) Deployments() []Deployment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Deployment
	for _, d := range s.state.deployments {
		c := *d
		c.Statuses = slices.Clone(d.Statuses)
		out = append(out, c)
	}
	return out
}

func init() {
	maps.Copy(handlers, map[string]handler{
		"git/get-blob":                   getBlob,
		"repos/get-content":              getContent,
		"repos/list-deployments":         listDeployments,
		"repos/create-deployment":        createDeployment,
		"repos/delete-deployment":        deleteDeployment,
		"repos/list-deployment-statuses": listDeploymentStatuses,
		"repos/create-deployment-status": createDeploymentStatus,
	})
	maps.Copy(permissions, map[string][]string{
		"git/get-blob":                   {"contents=read"},
		"repos/get-content":              {"contents=read"},
		"repos/list-deployments":         {"deployments=read"},
		"repos/create-deployment":        {"deployments=write"},
		"repos/delete-deployment":        {"deployments=write"},
		"repos/list-deployment-statuses": {"deployments=read"},
		"repos/create-deployment-status": {"deployments=write"},
	})
}

// getContent answers with a file, or with the entries of a folder.
func getContent(s *Server, r request) (int, any) {
	at := s.git.resolve(r.URL.Query().Get("ref"))
	if at == "" {
		return notFound("No commit found for the ref " + r.URL.Query().Get("ref"))
	}
	c, _ := s.git.read(at)
	path := strings.Trim(r.params["path"], "/")
	files := s.git.files(c.tree)
	describe := func(path, sha, kind string, size int) object {
		return object{"type": kind, "name": path[strings.LastIndex(path, "/")+1:], "path": path, "sha": sha, "size": size, "git_url": nil, "html_url": nil, "download_url": nil, "_links": object{"git": nil, "html": nil, "self": "https://github.test/"}}
	}
	if e, ok := files[path]; ok {
		body, _ := s.git.get("blob", e.sha)
		out := describe(path, e.sha, "file", len(body))
		out["encoding"], out["content"] = "base64", base64.StdEncoding.EncodeToString(body)
		// https://docs.github.com/rest/repos/contents: between 1 and 100 MB only
		// the raw media type holds the content.
		if len(body) > 1<<20 {
			out["encoding"], out["content"] = "none", ""
		}
		return http.StatusOK, out
	}
	var entries []object
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		rest, ok := strings.CutPrefix(name, path+"/")
		if !ok {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		if seen[first] {
			continue
		}
		seen[first] = true
		kind := "file"
		if deeper {
			kind = "dir"
		}
		entries = append(entries, describe(path+"/"+first, files[name].sha, kind, 0))
	}
	if entries == nil {
		return notFound("Not Found")
	}
	return http.StatusOK, entries
}

func getBlob(s *Server, r request) (int, any) {
	body, ok := s.git.get("blob", r.params["file_sha"])
	if !ok {
		return notFound("Not Found")
	}
	return http.StatusOK, object{"sha": r.params["file_sha"], "size": len(body), "encoding": "base64", "content": base64.StdEncoding.EncodeToString(body)}
}

func (s *Server) deploymentObject(d *Deployment) object {
	return object{"id": d.ID, "sha": d.SHA, "ref": d.SHA, "environment": d.Environment, "original_environment": d.Environment, "task": d.Task, "payload": d.Payload, "creator": user(d.Creator), "description": nil}
}

func listDeployments(s *Server, r request) (int, any) {
	query := r.URL.Query()
	found := []object{}
	for _, d := range slices.Backward(s.state.deployments) {
		if d.hidden > 0 {
			d.hidden--
			continue
		}
		matches := true
		for key, value := range map[string]string{"environment": d.Environment, "sha": d.SHA, "task": d.Task} {
			if want := query.Get(key); want != "" && want != value {
				matches = false
			}
		}
		if matches {
			found = append(found, s.deploymentObject(d))
		}
	}
	return http.StatusOK, page(s, r, found)
}

// createDeployment wants required_contexts to be empty: this fake keeps no
// statuses of the base branch.
func createDeployment(s *Server, r request) (int, any) {
	ref, _ := r.body["ref"].(string)
	sha := s.git.resolve(ref)
	if sha == "" {
		return unprocessable("Deployment", "ref", "invalid", "No ref found for: "+ref)
	}
	if contexts, given := r.body["required_contexts"].([]any); !given || len(contexts) > 0 {
		return http.StatusConflict, object{"message": "Conflict: Commit status checks failed for " + ref + ".", "documentation_url": "https://docs.github.com/rest"}
	}
	environment, _ := r.body["environment"].(string)
	task, _ := r.body["task"].(string)
	if task == "" {
		task = "deploy"
	}
	payload := r.body["payload"]
	if payload == nil {
		payload = object{}
	}
	d := &Deployment{ID: s.id(), SHA: sha, Environment: environment, Task: task, Payload: payload, Creator: r.token.Login, hidden: s.Behaviour.Stale}
	s.state.deployments = append(s.state.deployments, d)
	return http.StatusCreated, s.deploymentObject(d)
}

// deleteDeployment deletes the only deployment, or one that is not active.
// https://docs.github.com/rest/deployments/deployments#delete-a-deployment
func deleteDeployment(s *Server, r request) (int, any) {
	d := s.deployment(r)
	if d == nil {
		return notFound("Not Found")
	}
	if inactive := len(d.Statuses) > 0 && d.Statuses[len(d.Statuses)-1].State == "inactive"; !inactive && len(s.state.deployments) > 1 {
		return http.StatusUnprocessableEntity, object{"message": "We cannot delete an active deployment unless it is the only deployment in a given environment.", "documentation_url": "https://docs.github.com/rest"}
	}
	s.state.deployments = slices.DeleteFunc(s.state.deployments, func(o *Deployment) bool { return o == d })
	return http.StatusNoContent, nil
}

func (s *Server) deployment(r request) *Deployment {
	for _, d := range s.state.deployments {
		if strconv.Itoa(d.ID) == r.params["deployment_id"] {
			return d
		}
	}
	return nil
}

func deploymentStatus(d *Deployment, i int) object {
	s := d.Statuses[i]
	return object{"id": d.ID*100 + i, "state": s.State, "description": s.Description, "environment": d.Environment, "environment_url": s.Address, "creator": user(d.Creator)}
}

func listDeploymentStatuses(s *Server, r request) (int, any) {
	d := s.deployment(r)
	if d == nil {
		return notFound("Not Found")
	}
	found := []object{}
	for i := range d.Statuses {
		found = append(found, deploymentStatus(d, len(d.Statuses)-1-i))
	}
	return http.StatusOK, page(s, r, found)
}

func createDeploymentStatus(s *Server, r request) (int, any) {
	d := s.deployment(r)
	if d == nil {
		return notFound("Not Found")
	}
	status := DeploymentStatus{State: r.body["state"].(string)}
	status.Description, _ = r.body["description"].(string)
	status.Address, _ = r.body["environment_url"].(string)
	if len([]rune(status.Description)) > 140 {
		return unprocessable("DeploymentStatus", "description", "custom", "description is too long (maximum is 140 characters)")
	}
	d.Statuses = append(d.Statuses, status)
	return http.StatusCreated, deploymentStatus(d, len(d.Statuses)-1)
}

// CloseIssue closes an issue as a human.
func (s *Server) CloseIssue(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.state.issues {
		if i.Number == number {
			i.State = "closed"
		}
	}
}
