package githubtest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var handlers = map[string]handler{
	"repos/get":                           getRepository,
	"repos/get-branch":                    getBranch,
	"repos/compare-commits-with-basehead": compare,
	"git/list-matching-refs":              matchingRefs,
	"git/create-blob":                     createBlob,
	"git/create-tree":                     createTree,
	"git/create-commit":                   createCommit,
	"git/get-commit":                      getCommit,
	"git/get-ref":                         getRef,
	"repos/get-commit":                    getRepositoryCommit,
	"repos/get-branch-rules":              branchRules,
	"pulls/list":                          listPulls,
	"pulls/get":                           getPull,
	"pulls/create":                        createPull,
	"pulls/update":                        updatePull,
	"pulls/request-reviewers":             requestReviewers,
	"issues/add-labels":                   addLabels,
	"issues/list-for-repo":                listIssues,
	"issues/create":                       createIssue,
	"issues/get":                          getIssue,
	"issues/update":                       updateIssue,
	"issues/list-comments":                listComments,
	"issues/create-comment":               createComment,
	"issues/update-comment":               updateComment,
	"issues/delete-comment":               deleteComment,
	"repos/get-combined-status-for-ref":   combinedStatus,
	"repos/create-commit-status":          createStatus,
}

func notFound(what string) (int, any) {
	return http.StatusNotFound, object{"message": what, "documentation_url": "https://docs.github.com/rest", "status": "404"}
}

// unprocessable is GitHub's 422 for one field.
func unprocessable(resource, field, code, message string) (int, any) {
	e := object{"resource": resource, "code": code}
	if field != "" {
		e["field"] = field
	}
	if message != "" {
		e["message"] = message
	}
	return http.StatusUnprocessableEntity, object{"message": "Validation Failed", "errors": []object{e}, "documentation_url": "https://docs.github.com/rest"}
}

func user(login string) object {
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	return object{"login": login, "type": kind}
}

func (s *Server) repository() object {
	return object{"name": s.Name, "full_name": s.full(), "node_id": "R_1", "default_branch": s.Default, "private": s.Private, "owner": user(s.Owner)}
}

func getRepository(s *Server, r request) (int, any) { return http.StatusOK, s.repository() }

func (s *Server) commitObject(c commit) object {
	parents := []object{}
	for _, p := range c.parents {
		parents = append(parents, object{"sha": p})
	}
	return object{
		"sha": c.sha, "parents": parents, "author": user(c.author.login()), "committer": user(c.committer.login()),
		"commit": object{
			"message": c.message, "tree": object{"sha": c.tree}, "verification": s.verification(c.sha),
			"author":    object{"name": c.author.name, "email": c.author.email},
			"committer": object{"name": c.committer.name, "email": c.committer.email},
		},
	}
}

func (s *Server) verification(sha string) object {
	if s.state.verified[sha] {
		return object{"verified": true, "reason": "valid"}
	}
	return object{"verified": false, "reason": "unsigned"}
}

func getBranch(s *Server, r request) (int, any) {
	sha := s.Branch(r.params["branch"])
	if sha == "" {
		return notFound("Branch not found")
	}
	c, _ := s.git.read(sha)
	protection := object{"enabled": false}
	if len(s.Legacy) > 0 && r.params["branch"] == s.Default {
		protection = object{"enabled": true, "required_status_checks": object{"enforcement_level": "non_admins", "contexts": s.Legacy, "checks": []object{}}}
	}
	return http.StatusOK, object{"name": r.params["branch"], "commit": s.commitObject(c), "protected": s.closed(r.params["branch"]) != nil, "protection": protection}
}

func getCommit(s *Server, r request) (int, any) {
	c, ok := s.git.read(r.params["commit_sha"])
	if !ok {
		return notFound("Not Found")
	}
	return http.StatusOK, object{"sha": c.sha, "message": c.message, "tree": object{"sha": c.tree}, "verification": s.verification(c.sha)}
}

func compare(s *Server, r request) (int, any) {
	a, b, _ := strings.Cut(r.params["basehead"], "...")
	from, to := s.git.resolve(a), s.git.resolve(b)
	if from == "" || to == "" {
		return notFound("Not Found")
	}
	ahead, behind := s.git.between(from, to), s.git.between(to, from)
	status := "identical"
	switch {
	case len(ahead) > 0 && len(behind) > 0:
		status = "diverged"
	case len(ahead) > 0:
		status = "ahead"
	case len(behind) > 0:
		status = "behind"
	}
	commits := []object{}
	for _, c := range page(s, r, ahead) {
		commits = append(commits, s.commitObject(c))
	}
	baseCommit, _ := s.git.read(from)
	mergeBase, _ := s.git.read(s.git.mergeBase(from, to))
	return http.StatusOK, object{
		"status": status, "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead),
		"base_commit": s.commitObject(baseCommit), "merge_base_commit": s.commitObject(mergeBase), "commits": commits,
		"files": s.changes(mergeBase.tree, to),
	}
}

// changes lists what a commit changed since a tree. GitHub names at most 300
// files, on the first page.
func (s *Server) changes(tree, to string) []object {
	tip, _ := s.git.read(to)
	before, after := s.git.files(tree), s.git.files(tip.tree)
	files := []object{}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if was, there := before[path]; was != after[path] {
			status := "modified"
			if !there {
				status = "added"
			}
			files = append(files, object{"filename": path, "sha": after[path].sha, "status": status, "additions": 1, "deletions": 0, "changes": 1})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if _, there := after[path]; !there {
			files = append(files, object{"filename": path, "sha": before[path].sha, "status": "removed", "additions": 0, "deletions": 1, "changes": 1})
		}
	}
	return files
}

func matchingRefs(s *Server, r request) (int, any) {
	refs := []object{}
	heads := s.git.heads()
	for name, sha := range heads {
		if strings.HasPrefix("heads/"+name, r.params["ref"]) {
			refs = append(refs, object{"ref": "refs/heads/" + name, "object": object{"sha": sha, "type": "commit"}})
		}
	}
	slices.SortFunc(refs, func(a, b object) int { return strings.Compare(a["ref"].(string), b["ref"].(string)) })
	return http.StatusOK, page(s, r, refs)
}

func getRef(s *Server, r request) (int, any) {
	sha := s.git.ref("refs/" + r.params["ref"])
	if sha == "" {
		return notFound("Not Found")
	}
	return http.StatusOK, object{"ref": "refs/" + r.params["ref"], "object": object{"sha": sha, "type": "commit"}}
}

func getRepositoryCommit(s *Server, r request) (int, any) {
	c, ok := s.git.read(s.git.resolve(r.params["ref"]))
	if !ok {
		return http.StatusUnprocessableEntity, object{"message": "No commit found for SHA: " + r.params["ref"], "documentation_url": "https://docs.github.com/rest"}
	}
	return http.StatusOK, s.commitObject(c)
}

// branchRules lists the rules that are in force on a branch.
func branchRules(s *Server, r request) (int, any) {
	rules := []object{}
	if s.closed(r.params["branch"]) != nil {
		rules = append(rules, object{"type": "creation"}, object{"type": "update"})
	}
	if len(s.Required) > 0 && r.params["branch"] == s.Default {
		checks := []object{}
		for _, context := range s.Required {
			checks = append(checks, object{"context": context})
		}
		rules = append(rules, object{"type": "required_status_checks", "parameters": object{"required_status_checks": checks, "strict_required_status_checks_policy": false}})
	}
	return http.StatusOK, page(s, r, rules)
}

func createBlob(s *Server, r request) (int, any) {
	content := []byte(r.body["content"].(string))
	if r.body["encoding"] == "base64" {
		var err error
		if content, err = base64.StdEncoding.DecodeString(string(content)); err != nil {
			return unprocessable("Blob", "content", "invalid", "content is not valid Base64")
		}
	}
	return http.StatusCreated, object{"sha": s.git.blob(content)}
}

func createTree(s *Server, r request) (int, any) {
	files := map[string]entry{}
	if from, ok := r.body["base_tree"].(string); ok {
		files = s.git.files(from)
	}
	for _, item := range r.body["tree"].([]any) {
		e := item.(object)
		blob, _ := e["sha"].(string)
		if content, ok := e["content"].(string); ok {
			blob = s.git.blob([]byte(content))
		}
		if _, ok := s.git.get("blob", blob); !ok {
			return unprocessable("Tree", "tree.sha", "invalid", "tree.sha "+blob+" is not a valid blob")
		}
		files[e["path"].(string)] = entry{e["mode"].(string), blob}
	}
	sha := s.git.treeOf(files)
	return http.StatusCreated, object{"sha": sha, "truncated": false}
}

// createCommit signs what an installation commits without author or date.
// https://docs.github.com/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
func createCommit(s *Server, r request) (int, any) {
	var parents []string
	for _, p := range r.body["parents"].([]any) {
		parents = append(parents, p.(string))
	}
	who := userOf(r.token.Login)
	committer := who
	plain := r.body["author"] == nil && r.body["committer"] == nil
	signed := plain && r.token.Kind == Installation
	if signed {
		committer = webFlow
	}
	sha := s.git.commit(r.body["tree"].(string), parents, r.body["message"].(string), who, committer)
	if signed {
		s.state.verified[sha] = true
	}
	return http.StatusCreated, object{"sha": sha, "message": r.body["message"], "tree": object{"sha": r.body["tree"]}, "verification": s.verification(sha)}
}

func (s *Server) pullObject(p *Pull) object {
	state := p.State
	if state == "merged" {
		state = "closed"
	}
	owner, name, _ := strings.Cut(p.Repository, "/")
	labels := []object{}
	for _, l := range p.Labels {
		labels = append(labels, object{"name": l})
	}
	out := object{
		"number": p.Number, "state": state, "title": p.Title, "body": p.Body, "user": user(p.Author), "labels": labels,
		"html_url": fmt.Sprintf("%s/%s/pull/%d", s.http.URL, s.full(), p.Number),
		"head":     object{"ref": p.Head, "sha": p.Commit, "label": owner + ":" + p.Head, "repo": object{"name": name, "full_name": p.Repository, "owner": user(owner)}, "user": user(owner)},
		"base":     object{"ref": p.Base, "sha": s.Branch(p.Base), "label": s.Owner + ":" + p.Base, "repo": s.repository(), "user": user(s.Owner)},
	}
	if p.State == "merged" {
		out["merged_at"] = "2024-01-01T00:00:00Z"
	}
	return out
}

func listPulls(s *Server, r request) (int, any) {
	query := r.URL.Query()
	found := []object{}
	for _, p := range slices.Backward(s.state.pulls) {
		if p.hidden > 0 {
			p.hidden--
			continue
		}
		owner, _, _ := strings.Cut(p.Repository, "/")
		state := query.Get("state")
		if state == "" {
			state = "open"
		}
		if head := query.Get("head"); head != "" && head != owner+":"+p.Head ||
			query.Get("base") != "" && query.Get("base") != p.Base ||
			state != "all" && (state == "open") != (p.State == "open") {
			continue
		}
		found = append(found, s.pullObject(p))
	}
	return http.StatusOK, page(s, r, found)
}

func createPull(s *Server, r request) (int, any) {
	head, _ := r.body["head"].(string)
	base, _ := r.body["base"].(string)
	title, _ := r.body["title"].(string)
	body, _ := r.body["body"].(string)
	if r.token.Kind == Installation && r.token.Login == Bot && !s.ActionsMayOpen {
		return http.StatusForbidden, object{"message": "GitHub Actions is not permitted to create or approve pull requests.", "documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request", "status": "403"}
	}
	branch := strings.TrimPrefix(head, s.Owner+":")
	tip := s.Branch(branch)
	switch {
	case tip == "":
		return unprocessable("PullRequest", "head", "invalid", "")
	case s.Branch(base) == "":
		return unprocessable("PullRequest", "base", "invalid", "")
	case len(title) > 256 || len([]rune(body)) > 65536:
		return unprocessable("PullRequest", "body", "custom", "body is too long (maximum is 65536 characters)")
	case len(s.git.between(s.Branch(base), tip)) == 0:
		return unprocessable("PullRequest", "", "custom", fmt.Sprintf("No commits between %s and %s", base, branch))
	}
	for _, p := range s.state.pulls {
		if p.State == "open" && p.Head == branch && p.Base == base && p.Repository == s.full() {
			return unprocessable("PullRequest", "", "custom", fmt.Sprintf("A pull request already exists for %s:%s.", s.Owner, branch))
		}
	}
	p := &Pull{Number: s.number(), Title: title, Body: body, Head: branch, Repository: s.full(), Base: base, State: "open", Commit: tip, Author: r.token.Login, hidden: s.Behaviour.Stale}
	s.state.pulls = append(s.state.pulls, p)
	return http.StatusCreated, s.pullObject(p)
}

func (s *Server) pull(r request, name string) *Pull {
	n, err := strconv.Atoi(r.params[name])
	if err != nil {
		return nil
	}
	return s.byNumber(n)
}

func getPull(s *Server, r request) (int, any) {
	p := s.pull(r, "pull_number")
	if p == nil {
		return notFound("Not Found")
	}
	return http.StatusOK, s.pullObject(p)
}

func updatePull(s *Server, r request) (int, any) {
	p := s.pull(r, "pull_number")
	if p == nil {
		return notFound("Not Found")
	}
	if title, ok := r.body["title"].(string); ok {
		p.Title = title
	}
	if body, ok := r.body["body"].(string); ok {
		p.Body = body
	}
	switch r.body["state"] {
	case "closed":
		if p.State == "open" {
			p.State, p.Closer = "closed", r.token.Login
		}
	case "open":
		if p.State == "closed" && s.Branch(p.Head) != p.Commit {
			return unprocessable("PullRequest", "state", "invalid", "state cannot be changed. The branch was force-pushed or recreated.")
		}
		p.State = "open"
	}
	return http.StatusOK, s.pullObject(p)
}

func requestReviewers(s *Server, r request) (int, any) {
	p := s.pull(r, "pull_number")
	if p == nil {
		return notFound("Not Found")
	}
	// One that cannot be asked refuses all of them.
	for _, field := range []string{"reviewers", "team_reviewers"} {
		names, _ := r.body[field].([]any)
		for _, name := range names {
			if name == "nobody" || name == p.Author {
				return http.StatusUnprocessableEntity, object{"message": "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the acme/flights repository.", "documentation_url": "https://docs.github.com/rest"}
			}
		}
	}
	for _, field := range []string{"reviewers", "team_reviewers"} {
		names, _ := r.body[field].([]any)
		for _, name := range names {
			if !slices.Contains(p.Reviewers, name.(string)) {
				p.Reviewers = append(p.Reviewers, name.(string))
			}
		}
	}
	return http.StatusCreated, s.pullObject(p)
}

func addLabels(s *Server, r request) (int, any) {
	p := s.pull(r, "issue_number")
	if p == nil {
		return notFound("Not Found")
	}
	out := []object{}
	for _, label := range r.body["labels"].([]any) {
		if !slices.Contains(p.Labels, label.(string)) {
			p.Labels = append(p.Labels, label.(string))
		}
	}
	for _, label := range p.Labels {
		out = append(out, object{"name": label})
	}
	return http.StatusOK, out
}
