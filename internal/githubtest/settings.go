package githubtest

import (
	"maps"
	"net/http"
)

func init() {
	maps.Copy(handlers, map[string]handler{
		"issues/list-labels-for-repo":                                        listLabels,
		"actions/get-github-actions-default-workflow-permissions-repository": workflowPermissions,
		"actions/list-repo-secrets":                                          listSecrets,
		"actions/list-self-hosted-runners-for-repo":                          listRunners,
	})
	maps.Copy(permissions, map[string][]string{
		"issues/list-labels-for-repo":                                        {"issues=read", "pull_requests=read"},
		"actions/get-github-actions-default-workflow-permissions-repository": {"administration=read"},
		"actions/list-repo-secrets":                                          {"secrets=read"},
		"actions/list-self-hosted-runners-for-repo":                          {"administration=read"},
	})
}

func listLabels(s *Server, r request) (int, any) {
	found := []object{}
	for _, label := range s.Labels {
		found = append(found, object{"name": label})
	}
	return http.StatusOK, page(s, r, found)
}

func workflowPermissions(s *Server, _ request) (int, any) {
	level := "write"
	if s.Reading {
		level = "read"
	}
	return http.StatusOK, object{"default_workflow_permissions": level, "can_approve_pull_request_reviews": s.ActionsMayOpen}
}

func listSecrets(s *Server, r request) (int, any) {
	found := []object{}
	for _, name := range s.Secrets {
		found = append(found, object{"name": name})
	}
	return http.StatusOK, object{"total_count": len(found), "secrets": page(s, r, found)}
}

// Runner is a self-hosted runner.
type Runner struct {
	Name   string
	Online bool
	Labels []string
}

func listRunners(s *Server, r request) (int, any) {
	found := []object{}
	for i, runner := range s.Runners {
		labels := []object{}
		for _, l := range runner.Labels {
			labels = append(labels, object{"name": l})
		}
		status := "offline"
		if runner.Online {
			status = "online"
		}
		found = append(found, object{"id": i + 1, "name": runner.Name, "os": "linux", "status": status, "busy": false, "labels": labels})
	}
	return http.StatusOK, object{"total_count": len(found), "runners": page(s, r, found)}
}
