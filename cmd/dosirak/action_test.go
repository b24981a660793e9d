package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

const statusContext = "dosirak/flights-delay/production"

// stage is a GitHub, a clone of its repository, and a runner.
type stage struct {
	t     *testing.T
	hub   *githubtest.Server
	clone gittest.Repository
	token string
	event string // file
	kind  string
	extra map[string]string
}

// newStage has the small project on main.
func newStage(t *testing.T, change ...func(files map[string]string)) *stage {
	t.Helper()
	mini := projecttest.Mini(t)
	files := map[string]string{".gitignore": ".dosirak/\n"}
	for _, name := range strings.Fields(mini.Git("ls-files")) {
		data, err := os.ReadFile(filepath.Join(mini.Dir, name))
		require.NoError(t, err)
		files[name] = string(data)
	}
	for _, c := range change {
		c(files)
	}
	return stageOf(t, files)
}

// stageOf has these files on main.
func stageOf(t *testing.T, files map[string]string) *stage {
	t.Helper()
	s := &stage{t: t, hub: githubtest.New(t, files), extra: map[string]string{}}
	s.hub.Behaviour = githubtest.Calm()
	s.token = s.hub.Actions()
	s.clone = gittest.Repository{T: t, Dir: filepath.Join(t.TempDir(), "clone")}
	out, err := exec.Command("git", "clone", "--quiet", s.hub.Dir, s.clone.Dir).CombinedOutput()
	require.NoError(t, err, string(out))
	s.clone.Git("config", "user.name", "Test")
	s.clone.Git("config", "user.email", "test@example.com")
	return s
}

// on makes an event the one that the next action sees.
func (s *stage) on(kind string, payload map[string]any) *stage {
	s.t.Helper()
	data, err := json.Marshal(payload)
	require.NoError(s.t, err)
	s.kind, s.event = kind, filepath.Join(s.t.TempDir(), "event.json")
	require.NoError(s.t, os.WriteFile(s.event, data, 0o644))
	return s
}

type seen struct {
	code             int
	outputs          map[string]string
	summary, log     string
	annotations      []string
	commandsInTheLog []string
}

// act runs an action as the runner would.
func (s *stage) act(name string, inputs map[string]string) seen {
	s.t.Helper()
	dir := s.t.TempDir()
	env := map[string]string{
		"GITHUB_OUTPUT": filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
		"GITHUB_EVENT_PATH": s.event, "GITHUB_EVENT_NAME": s.kind, "GITHUB_API_URL": s.hub.URL,
		"GITHUB_REPOSITORY": s.hub.Owner + "/" + s.hub.Name, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "7",
		"GITHUB_SHA": s.clone.Git("rev-parse", "HEAD"), "GITHUB_REF_NAME": "main",
	}
	for k, v := range s.extra {
		env[k] = v
	}
	file := readAction(s.t, actionPath(name))
	for _, item := range file.Inputs {
		env[runner.Variable(item.Key.(string))] = property(item, "default")
	}
	for k, v := range inputs {
		env[runner.Variable(k)] = v
	}
	for k, v := range env {
		env[k] = strings.ReplaceAll(v, "${{ github.token }}", s.token)
	}
	var action runner.Action
	for _, a := range actions() {
		if a.Name == name {
			action = a
		}
	}
	require.NotNil(s.t, action.Run, name)
	var out bytes.Buffer
	code := runner.Do(s.t.Context(), action, runner.Surroundings{Getenv: func(k string) string { return env[k] }, Stdout: &out})
	got := seen{code: code, outputs: map[string]string{}, log: out.String()}
	if data, err := os.ReadFile(env["GITHUB_STEP_SUMMARY"]); err == nil {
		got.summary = string(data)
	}
	data, err := os.ReadFile(env["GITHUB_OUTPUT"])
	require.NoError(s.t, err)
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		key, end, ok := strings.Cut(lines.Text(), "<<")
		require.True(s.t, ok, "a line outside of a value: %q", lines.Text())
		require.True(s.t, lines.Scan())
		got.outputs[key] = lines.Text()
		require.True(s.t, lines.Scan())
		require.Equal(s.t, end, lines.Text(), "a value of more than one line")
	}
	assert.Len(s.t, got.outputs, len(action.Outputs), "every output is set and no other: %v", got.outputs)
	for _, line := range strings.FieldsFunc(got.log, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") {
			if !strings.HasPrefix(line, "::add-mask::") {
				got.annotations = append(got.annotations, line)
			}
			word := strings.TrimPrefix(line, "::")
			if !strings.HasPrefix(word, "error::") && !strings.HasPrefix(word, "warning::") && !strings.HasPrefix(word, "notice::") && !strings.HasPrefix(word, "add-mask::") {
				got.commandsInTheLog = append(got.commandsInTheLog, line)
			}
		}
	}
	assert.Empty(s.t, got.commandsInTheLog, "only annotations are ours")
	return got
}

// onPush says that the clone's head was pushed to main.
func (s *stage) onPush() *stage {
	return s.on("push", map[string]any{"before": strings.Repeat("0", 40)})
}

// onPull is a change of this repository, or of a fork.
func (s *stage) onPull(repository, branch, commit string) *stage {
	return s.on("pull_request", map[string]any{"pull_request": map[string]any{
		"head": map[string]any{"ref": branch, "sha": commit, "repo": map[string]any{"full_name": repository}},
		"base": map[string]any{"ref": "main", "sha": s.hub.Branch("main")},
	}})
}

// onJudge is the event of half two.
func (s *stage) onJudge(repository, branch, commit, action, conclusion string) *stage {
	return s.on("workflow_run", map[string]any{"action": action, "workflow_run": map[string]any{
		"id": 7, "event": "pull_request", "conclusion": conclusion, "head_sha": commit, "head_branch": branch,
		"html_url": "https://github.com/acme/flights/actions/runs/7", "head_repository": map[string]any{"full_name": repository},
	}})
}

func (s *stage) ours() string { return s.hub.Owner + "/" + s.hub.Name }

// The root action on main: the line, then a promotion pull request with a
// status of its own; again changes nothing.
func TestActionsPromote(t *testing.T) {
	t.Parallel()
	s := newStage(t).onPush()
	run := s.act("run", map[string]string{"directory": s.clone.Dir})
	require.Equal(t, 0, run.code, run.log)
	assert.Equal(t, "PASS", run.outputs["verdict"])
	assert.Equal(t, "false", run.outputs["unchanged"])
	assert.FileExists(t, run.outputs["report"])
	assert.FileExists(t, run.outputs["page"])
	assert.FileExists(t, run.outputs["archive"])
	assert.Contains(t, run.summary, "PASS")

	plan := s.act("promote", map[string]string{"directory": s.clone.Dir, "run": run.outputs["run"], "plan": "true"})
	require.Equal(t, 0, plan.code, plan.log)
	assert.Equal(t, "planned", plan.outputs["operation"])
	assert.Contains(t, plan.log, "deploy/production.yaml")
	assert.Empty(t, s.hub.Pulls())

	calls := func(do func() seen) (seen, []string) {
		before := len(s.hub.Calls())
		got := do()
		var names []string
		for _, c := range s.hub.Calls()[before:] {
			names = append(names, c.Operation)
		}
		return got, names
	}
	first, opening := calls(func() seen {
		return s.act("promote", map[string]string{"directory": s.clone.Dir, "run": run.outputs["run"]})
	})
	require.Equal(t, 0, first.code, first.log)
	assert.LessOrEqual(t, len(opening), 14, "opening with its status: %v", opening)
	assert.Equal(t, "created", first.outputs["operation"])
	pulls := s.hub.OpenPulls()
	require.Len(t, pulls, 1)
	assert.Equal(t, promotionBranch, pulls[0].Head)
	// The proposal says what the comment said, and where it came from.
	for _, text := range []string{
		"### ✅ PASS", "| metric |", "<details><summary>All ", "[this run](https://github.com/acme/flights/actions/runs/7)",
		"](https://github.com/acme/flights/commit/" + s.clone.Git("rev-parse", "HEAD") + ")", "`" + run.outputs["bundle"] + "`",
	} {
		assert.Contains(t, pulls[0].Body, text)
	}
	assert.NotContains(t, pulls[0].Body, "**Next:**")
	assert.Equal(t, "success", s.hub.Statuses(pulls[0].Commit)[statusContext].State, "the proposal has its check, though no workflow starts for it")

	again, unchanged := calls(func() seen {
		return s.act("promote", map[string]string{"directory": s.clone.Dir, "run": "latest"})
	})
	require.Equal(t, 0, again.code, again.log)
	assert.LessOrEqual(t, len(unchanged), 5, "unchanged: %v", unchanged)
	assert.Equal(t, "unchanged", again.outputs["operation"])
	assert.Equal(t, first.outputs["commit"], again.outputs["commit"])
	require.Len(t, s.hub.Pulls(), 1)

	status := s.act("comment", map[string]string{"directory": s.clone.Dir, "report": run.outputs["report"]})
	require.Equal(t, 0, status.code, status.log)
	assert.Equal(t, "success", status.outputs["status"])
	assert.Empty(t, status.outputs["comment-url"], "a push has no pull request")

	s.hub.Merge(pulls[0].Number, false)
	s.clone.Git("pull", "--quiet", "--ff-only")
	verified := s.act("verify", map[string]string{"directory": s.clone.Dir})
	assert.Equal(t, 0, verified.code, verified.log)
	assert.Equal(t, "true", verified.outputs["holds"])
}

// A change from a fork goes the two halves. What it says of itself counts for
// nothing.
func TestActionsJudgeAFork(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole run in two halves")
	}
	t.Parallel()
	s := newStage(t)
	main := s.clone.Git("rev-parse", "HEAD")
	s.clone.Git("checkout", "--quiet", "-b", "better")
	// The change would like an easier exam too.
	config, err := os.ReadFile(filepath.Join(s.clone.Dir, "dosirak.yaml"))
	require.NoError(t, err)
	head := s.clone.Commit("better", map[string]string{"dosirak.yaml": strings.ReplaceAll(string(config), "floor: 0.5", "floor: 0.1"), "note.txt": "x"})
	s.clone.Git("push", "--quiet", "origin", "better")
	const fork = "mallory/flights"
	number := s.hub.OpenPull("mallory", fork, "better", head)

	// Half one: no token, one job a seed.
	s.token = ""
	s.onPull(fork, "better", head)
	trainings := t.TempDir()
	for _, seed := range []string{"1", "2"} {
		got := s.act("train", map[string]string{"directory": s.clone.Dir, "seeds": seed, "out": filepath.Join(trainings, "seed-"+seed)})
		require.Equal(t, 0, got.code, got.log)
		assert.Equal(t, seed, got.outputs["seeds"])
	}
	told := s.act("comment", map[string]string{"directory": s.clone.Dir})
	assert.Equal(t, 0, told.code, "a fork's workflow cannot tell, and that is no failure: %s", told.log)
	assert.Contains(t, told.log, "workflow_run")
	assert.Empty(t, s.hub.Calls())

	// Half two: the default branch's code and config.
	s.token = s.hub.Actions()
	s.clone.Git("checkout", "--quiet", main)
	s.onJudge(fork, "better", head, "requested", "")
	pending := s.act("comment", map[string]string{"directory": s.clone.Dir, "phase": "pending"})
	require.Equal(t, 0, pending.code, pending.log)
	assert.Equal(t, "pending", s.hub.Statuses(head)[statusContext].State)

	s.onJudge(fork, "better", head, "completed", "success")
	joined := filepath.Join(t.TempDir(), "training")
	gathered := s.act("gather", map[string]string{"from": trainings, "out": joined})
	require.Equal(t, 0, gathered.code, gathered.log)
	assert.Equal(t, "2", gathered.outputs["count"])
	judged := s.act("compare", map[string]string{"directory": s.clone.Dir, "trained": joined})
	require.NotEmpty(t, judged.outputs["report"], judged.log)
	data, err := os.ReadFile(judged.outputs["report"])
	require.NoError(t, err)
	r, err := report.Parse(data, report.DefaultLimits())
	require.NoError(t, err)
	// By its own exam and by the base's: the easier floor is pointed out, and a
	// verdict by it alone is none.
	changed := r.ExamChanged()
	require.NotNil(t, changed)
	require.Len(t, changed.Changes, 1)
	assert.EqualValues(t, "metrics.roc_auc.floor", changed.Changes[0].Path)
	assert.EqualValues(t, "0.5", changed.Changes[0].Old)
	assert.EqualValues(t, "0.1", changed.Changes[0].New)
	assert.NotEmpty(t, changed.Verdict, "the base's exam was asked too")
	// Two equal files that a stranger's job wrote prove nothing.
	assert.Equal(t, "INCONCLUSIVE", judged.outputs["verdict"])
	require.NotNil(t, r.Determinism)
	assert.True(t, r.Determinism.Claimed)
	assert.EqualValues(t, "INCONCLUSIVE", r.Determinism.Verdict)
	accepted := s.act("compare", map[string]string{"directory": s.clone.Dir, "trained": joined, "accepted": "true"})
	require.Equal(t, 0, accepted.code, accepted.log)
	assert.Equal(t, "PASS", accepted.outputs["verdict"])
	assert.Contains(t, accepted.summary, "· **proof** Claimed by the change", "counts, and is no tick")

	told = s.act("comment", map[string]string{"directory": s.clone.Dir, "report": judged.outputs["report"], "outcome": "success"})
	require.Equal(t, 0, told.code, told.log)
	assert.Contains(t, s.hub.Comments(number)[0].Body, "dosirak/accept-claims")
	assert.NotEqual(t, "pending", s.hub.Statuses(head)[statusContext].State, "always concluded")
	require.Len(t, s.hub.Comments(number), 1)
	assert.Contains(t, s.hub.Comments(number)[0].Body, judged.outputs["verdict"])
	assert.NotEmpty(t, told.outputs["comment-url"])

	again := s.act("comment", map[string]string{"directory": s.clone.Dir, "report": judged.outputs["report"], "outcome": "success"})
	require.Equal(t, 0, again.code, again.log)
	require.Len(t, s.hub.Comments(number), 1)
	assert.Zero(t, s.hub.Comments(number)[0].Edits, "edited only on change")

	// A training says what it likes about its commit; GitHub's event counts.
	record := filepath.Join(joined, "training.json")
	text, err := os.ReadFile(record)
	require.NoError(t, err)
	require.Contains(t, string(text), head)
	require.NoError(t, os.WriteFile(record, bytes.ReplaceAll(text, []byte(head), []byte(main)), 0o644))
	forged := s.act("compare", map[string]string{"directory": s.clone.Dir, "trained": joined})
	data, err = os.ReadFile(forged.outputs["report"])
	require.NoError(t, err, forged.log)
	r, err = report.Parse(data, report.DefaultLimits())
	require.NoError(t, err)
	assert.Equal(t, head, string(r.Run.Commit))

	// Two commits of one pull request: the one comment is edited, and keeps what
	// the earlier commit came to.
	s.clone.Git("push", "--quiet", "origin", head+":refs/heads/own")
	own := s.hub.OpenPull("octocat", "", "own", head)
	for i, commit := range []string{head, s.hub.Push("own", "better still", map[string]string{"note.txt": "y"})} {
		s.hub.SetBranch("own", commit)
		s.onJudge(s.ours(), "own", commit, "completed", "success")
		judged := s.act("compare", map[string]string{"directory": s.clone.Dir, "trained": joined})
		told = s.act("comment", map[string]string{"directory": s.clone.Dir, "report": judged.outputs["report"]})
		require.Equal(t, 0, told.code, told.log)
		require.Len(t, s.hub.Comments(own), 1, told.log)
		assert.Equal(t, i, s.hub.Comments(own)[0].Edits)
	}
	assert.Contains(t, s.hub.Comments(own)[0].Body, "Earlier runs of this pull request (1)")

	// A manifest beside the model would be promoted by the merge, unseen.
	both := s.hub.Push("own", "and its promotion", map[string]string{"deploy/production.yaml": "bundle: x\n"})
	s.hub.SetBranch("own", both)
	s.clone.Git("fetch", "--quiet", "origin", both)
	s.onJudge(s.ours(), "own", both, "completed", "success")
	mixed := s.act("compare", map[string]string{"directory": s.clone.Dir, "trained": joined})
	assert.Equal(t, fault.CodeUsage, mixed.code, mixed.log)
	assert.Contains(t, mixed.outputs["reason"], "a promotion is a pull request of its own")

	// A pull request that moved on in the meantime is told nothing about an older
	// commit; the status stands at that commit.
	s.hub.DeleteComment(s.hub.Comments(number)[0].ID)
	s.hub.OpenPull("mallory", fork, "elsewhere", main)
	s.onJudge(fork, "elsewhere", head, "completed", "success")
	told = s.act("comment", map[string]string{"directory": s.clone.Dir, "report": judged.outputs["report"]})
	require.Equal(t, 0, told.code, told.log)
	assert.Contains(t, told.log, "moved on")
	assert.Empty(t, s.hub.Comments(number))
}

// Whatever reaches the action comment, the status is concluded, and never green
// without a verdict.
func TestStatusIsAlwaysConcluded(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	head := s.clone.Git("rev-parse", "HEAD")
	write := func(change func(*report.Report)) string {
		r := reporttest.Pass()
		r.Run.Model, r.Run.Environment = "flights-delay", "production"
		change(r)
		data, err := report.Encode(r)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "report.json")
		require.NoError(t, os.WriteFile(path, data, 0o644))
		return path
	}
	other := write(func(r *report.Report) { r.Run.Model = "another" })
	garbage := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(garbage, []byte(`{"schema":"dosirak/report/v1","verdict":"PASS","Verdict":"FAIL"}`), 0o644))
	pass := write(func(*report.Report) {})
	for _, tt := range []struct {
		name   string
		inputs map[string]string
		fork   bool
		state  string
		says   string
	}{
		{"a pass", map[string]string{"report": pass}, true, "success", "PASS"},
		{"a pass that the change claims", map[string]string{"report": write(func(r *report.Report) { r.Claimed = true })}, false, "failure", "claim"},
		{"no report", map[string]string{"report": "nowhere.json", "outcome": "failure"}, true, "error", "no verdict"},
		{"cancelled", map[string]string{"outcome": "cancelled"}, true, "error", "cancelled"},
		{"a report about another model", map[string]string{"report": other}, true, "error", "no verdict"},
		{"a forged report", map[string]string{"report": garbage, "outcome": "success"}, true, "error", "no verdict"},
		{"nothing was changed", map[string]string{"change": "none"}, true, "success", "Nothing"},
		{"a fork changes a manifest", map[string]string{"change": "manifest", "outcome": "success"}, true, "failure", "fork"},
		{"a manifest that holds", map[string]string{"change": "manifest", "outcome": "success"}, false, "success", "holds"},
		{"a manifest that does not", map[string]string{"change": "manifest", "outcome": "failure"}, false, "failure", "not confirmed"},
		{"a manifest that was not looked at", map[string]string{"change": "manifest", "outcome": "skipped", "report": pass}, false, "failure", "not confirmed"},
		{"a change of a new kind", map[string]string{"change": "soup", "outcome": "success", "report": pass}, false, "error", "not known"},
	} {
		repository := s.ours()
		if tt.fork {
			repository = "mallory/flights"
		}
		s.onJudge(repository, "better", head, "completed", "success")
		inputs := map[string]string{"directory": s.clone.Dir, "comment": "false"}
		for k, v := range tt.inputs {
			inputs[k] = v
		}
		s.hub.SetStatus(githubtest.Status{SHA: head, Context: statusContext, State: "pending", Creator: githubtest.Bot})
		got := s.act("comment", inputs)
		assert.Equal(t, 0, got.code, "%s: %s", tt.name, got.log)
		status := s.hub.Statuses(head)[statusContext]
		assert.Equal(t, tt.state, status.State, tt.name)
		assert.Contains(t, status.Description, tt.says, tt.name)
	}
}

// Each bad input: what it says, and the exit code.
func TestActionsBadInput(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	head := s.clone.Git("rev-parse", "HEAD")
	for _, tt := range []struct {
		name   string
		action string
		event  func()
		token  string
		inputs map[string]string
		code   int
		says   string
	}{
		{"no token", "comment", func() { s.onPull(s.ours(), "x", head) }, "", nil, fault.CodeUsage, "token"},
		{"an event that fits nothing", "comment", func() { s.on("schedule", map[string]any{}) }, s.token, nil, fault.CodeUsage, "is about no change"},
		{"a phase that is none", "comment", func() { s.onPush() }, s.token, map[string]string{"phase": "later"}, fault.CodeUsage, "pending, concluded, failed, sweep"},
		{"an environment that is none", "comment", func() { s.onPush() }, s.token, map[string]string{"environment": "moon"}, fault.CodeUsage, "promote.environments"},
		{"a token that may not", "comment", func() { s.onPull(s.ours(), "x", head) }, s.hub.Token(githubtest.Installation, githubtest.Bot, "contents=read"), nil, fault.CodeUsage, "the token lacks the permission statuses"},
		{"no config", "run", func() { s.onPush() }, "", map[string]string{"config": "nope.yaml"}, fault.CodeUsage, "nope.yaml"},
		{"neither true nor false", "run", func() { s.onPush() }, "", map[string]string{"fresh": "yes"}, fault.CodeUsage, "true or false"},
		{"nothing to judge", "compare", func() { s.onPush() }, "", nil, fault.CodeUsage, "trained"},
		{"a training that is not there", "compare", func() { s.onPush() }, "", map[string]string{"trained": "nowhere"}, fault.CodeUsage, "nowhere"},
		{"artifacts that expired", "gather", func() { s.onPush() }, "", map[string]string{"from": t.TempDir()}, fault.CodeUsage, "expired"},
		{"a seed that is none", "train", func() { s.onPush() }, "", map[string]string{"seeds": "1,x"}, fault.CodeUsage, `"x"`},
		{"a bundle that is none", "image", func() { s.onPush() }, "", map[string]string{"bundle": t.TempDir()}, fault.CodeUsage, "bundle"},
		{"nothing to test", "smoke", func() { s.onPush() }, "", nil, fault.CodeUsage, "what to test"},
		{"nothing was promoted", "verify", func() { s.onPush() }, "", nil, fault.CodeUsage, "nothing was promoted"},
		{"a wait that is none", "reconcile", func() { s.onPush() }, s.token, map[string]string{"wait": "soon"}, fault.CodeUsage, "5m"},
	} {
		tt.event()
		s.token = tt.token
		inputs := map[string]string{}
		for _, item := range readAction(t, actionPath(tt.action)).Inputs {
			if item.Key == "directory" {
				inputs["directory"] = s.clone.Dir
			}
		}
		for k, v := range tt.inputs {
			inputs[k] = v
		}
		got := s.act(tt.action, inputs)
		assert.Equal(t, tt.code, got.code, "%s: %s", tt.name, got.log)
		require.NotEmpty(t, got.annotations, tt.name)
		last := got.annotations[len(got.annotations)-1]
		assert.True(t, strings.HasPrefix(last, "::error::"), "%s: %s", tt.name, last)
		assert.Contains(t, last, tt.says, tt.name)
	}
}

// Text from outside reaches summary, comment, log and outputs: none of it may
// become anything but text there.
func TestNothingIsForged(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	head := s.clone.Git("rev-parse", "HEAD")
	number := s.hub.OpenPull("mallory", "mallory/flights", "x`$(id)`${{ secrets.X }}", head)
	r := reporttest.Hostile()
	r.Run.Model, r.Run.Environment = "flights-delay", "production"
	data, err := report.Encode(r)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "::set-output name=status::success.json")
	require.NoError(t, os.WriteFile(path, data, 0o644))
	s.onJudge("mallory/flights", "x`$(id)`${{ secrets.X }}", head, "completed", "success")
	got := s.act("comment", map[string]string{"directory": s.clone.Dir, "report": path})
	require.Equal(t, 0, got.code, got.log)
	assert.Equal(t, "failure", got.outputs["status"])
	comments := s.hub.Comments(number)
	require.Len(t, comments, 1)
	body := comments[0].Body
	// What package markdown escapes is tested there, against a real parser; here,
	// that nothing comes past it.
	for _, raw := range []string{"<script", "<img", "\u202e", "\u2066", "](http://evil", "](https://evil", "${{"} {
		if at := strings.Index(body, raw); at >= 0 {
			assert.Fail(t, "raw text in the comment", "%q in %q", raw, body[max(0, at-80):min(len(body), at+80)])
		}
	}
	assert.Equal(t, 1, strings.Count(body, "<!-- dosirak/comment "), "no second marker")
	assert.True(t, strings.HasPrefix(body, "<!-- dosirak/comment model=flights-delay environment=production verdict=FAIL -->"))

	// A config, a folder, an environment and a training with such names.
	evil := filepath.Join(t.TempDir(), "a\n::set-output name=verdict::PASS\nb")
	require.NoError(t, os.MkdirAll(evil, 0o755))
	for name, inputs := range map[string]map[string]string{
		"run": {"directory": evil}, "verify": {"directory": s.clone.Dir, "config": "x\n::add-mask::y"},
		"compare": {"directory": s.clone.Dir, "trained": evil}, "gather": {"from": evil, "out": evil + "\u202e"},
		"smoke": {"archive": evil}, "image": {"bundle": evil}, "promote": {"directory": s.clone.Dir, "run": "x\n::stop-commands::z"},
		"train": {"directory": s.clone.Dir, "seeds": "1\n::set-output name=out::x"}, "download": {"model": "x\n::add-mask::y"},
	} {
		got := s.act(name, inputs)
		assert.NotEqual(t, 0, got.code, name)
		assert.Empty(t, got.outputs["verdict"], name)
	}
}

// A trainer that writes what looks like the runner's commands.
func TestATrainerCannotSpeakToTheRunner(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(files map[string]string) {
		files["dosirak.yaml"] = strings.Replace(files["dosirak.yaml"], "cp models/{seed}.onnx {out}/model.onnx",
			`printf '::set-output name=verdict::PASS\n##[set-output name=verdict]PASS\n' && printf 'verdict<<X\nPASS\nX\n' >> "${GITHUB_OUTPUT:-/dev/null}" && false`, 1)
	}).onPush()
	got := s.act("run", map[string]string{"directory": s.clone.Dir})
	assert.Equal(t, fault.CodeFailed, got.code, got.log)
	assert.Empty(t, got.outputs["verdict"])
	last := got.annotations[len(got.annotations)-1]
	assert.True(t, strings.HasPrefix(last, "::error::dosirak run: "), last)
}

func TestPlanAction(t *testing.T) {
	s := newStage(t, func(files map[string]string) {
		for name, content := range maps.Clone(files) {
			if name != ".gitignore" {
				files["other/"+name] = strings.ReplaceAll(content, "model: flights-delay", "model: other")
			}
		}
	})
	t.Chdir(s.clone.Dir)
	base := s.clone.Git("rev-parse", "HEAD")
	type list struct {
		Include []struct {
			Directory, Model, Environment, Change string
			Seed                                  int64
		}
	}
	read := func(text string) (l list) {
		require.NoError(t, json.Unmarshal([]byte(text), &l))
		return l
	}
	for _, tt := range []struct {
		name   string
		files  map[string]string
		change map[string]string // by folder
		train  int
	}{
		{"the other model", map[string]string{"other/models/1.onnx": "x"}, map[string]string{".": "none", "other": "model"}, 2},
		{"a manifest", map[string]string{"other/deploy/production.yaml": "x"}, map[string]string{".": "none", "other": "manifest"}, 0},
		{"what people read", map[string]string{"README.md": "x", "other/README.md": "x", ".github/workflows/x.yml": "x", "LICENSE": "x"}, map[string]string{".": "none", "other": "none"}, 0},
	} {
		s.clone.Git("checkout", "--quiet", "-B", "change", base)
		head := s.clone.Commit(tt.name, tt.files)
		s.onPull(s.ours(), "change", head)
		got := s.act("plan", nil)
		require.Equal(t, 0, got.code, got.log)
		for _, m := range read(got.outputs["models"]).Include {
			assert.Equal(t, tt.change[m.Directory], m.Change, "%s: %s", tt.name, m.Directory)
			assert.Equal(t, "production", m.Environment)
		}
		assert.Len(t, read(got.outputs["train"]).Include, tt.train, tt.name)
	}
	// In a fork of the base, which went on in the meantime.
	s.clone.Git("checkout", "--quiet", "-B", "change", base)
	head := s.clone.Commit("only the other one", map[string]string{"other/models/2.onnx": "x"})
	s.clone.Git("checkout", "--quiet", "main")
	s.clone.Commit("main goes on", map[string]string{"models/1.onnx": "x"})
	s.onJudge("mallory/flights", "change", head, "completed", "success")
	got := s.act("plan", map[string]string{"directories": "other"})
	require.Equal(t, 0, got.code, got.log)
	assert.Equal(t, "true", got.outputs["has-changed"])
	assert.Len(t, read(got.outputs["changed"]).Include, 1)
	assert.JSONEq(t, `{"include":[]}`, got.outputs["manifests"])

	// Production takes what staging runs, once it runs something.
	two := strings.Replace(projecttest.MiniConfig, "model: flights-delay", "model: other", 1) + "promote: {environments: [staging, production]}\n"
	s.clone.Commit("two environments", map[string]string{"other/dosirak.yaml": two})
	s.on("schedule", map[string]any{})
	got = s.act("plan", map[string]string{"directories": "other"})
	require.Equal(t, 0, got.code, got.log)
	assert.Equal(t, "false", got.outputs["has-next"])
	assert.Len(t, read(got.outputs["environments"]).Include, 2)
	s.clone.Commit("staging runs one", map[string]string{"other/deploy/staging.yaml": "x"})
	got = s.act("plan", map[string]string{"directories": "other"})
	require.Len(t, read(got.outputs["next"]).Include, 1)
	assert.Equal(t, "production", read(got.outputs["next"]).Include[0].Environment)

	// Folders whose names mean something elsewhere are data; one that could forge
	// an output is refused.
	config, err := os.ReadFile("other/dosirak.yaml")
	require.NoError(t, err)
	const evil = "$(id) `id` ${{ secrets.X }} <b>@all"
	s.clone.Commit("evil names", map[string]string{evil + "/dosirak.yaml": strings.Replace(string(config), "model: other", "model: third", 1)})
	s.on("schedule", map[string]any{})
	got = s.act("plan", nil)
	require.Equal(t, 0, got.code, got.log)
	assert.Equal(t, evil, read(got.outputs["models"]).Include[0].Directory)
	s.clone.Commit("worse names", map[string]string{"\u202ex/dosirak.yaml": strings.Replace(string(config), "model: other", "model: fourth", 1)})
	got = s.act("plan", nil)
	assert.Equal(t, fault.CodeUsage, got.code, got.log)
	assert.Empty(t, got.outputs["models"])
	s.clone.Git("rm", "-rq", "--", "\u202ex")
	s.clone.Commit("gone", nil)

	// A commit that is not there: everything is changed, rather than nothing.
	s.onJudge("mallory/flights", "change", strings.Repeat("d", 40), "completed", "success")
	got = s.act("plan", nil)
	require.Equal(t, 0, got.code, got.log)
	assert.Contains(t, got.log, "every model is taken for changed")
	assert.Len(t, read(got.outputs["changed"]).Include, 3)
}
