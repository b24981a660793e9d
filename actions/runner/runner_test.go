package runner

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// surroundings is a runner on disk.
type surroundings struct {
	env                     map[string]string
	stdout                  bytes.Buffer
	outputFile, summaryFile string
}

func newSurroundings(t testing.TB, env map[string]string) *surroundings {
	dir := t.TempDir()
	s := &surroundings{env: map[string]string{}, outputFile: filepath.Join(dir, "output"), summaryFile: filepath.Join(dir, "summary")}
	s.env["GITHUB_OUTPUT"], s.env["GITHUB_STEP_SUMMARY"] = s.outputFile, s.summaryFile
	for name, value := range env {
		s.env[name] = value
	}
	return s
}

func (s *surroundings) give() Surroundings {
	return Surroundings{Getenv: func(name string) string { return s.env[name] }, Stdout: &s.stdout}
}

// outputs reads the file as the runner does: name<<delimiter, lines, delimiter.
func (s *surroundings) outputs(t testing.TB) map[string]string {
	data, err := os.ReadFile(s.outputFile)
	require.NoError(t, err)
	got := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		name, end, ok := strings.Cut(lines.Text(), "<<")
		require.True(t, ok, "a line outside of a value: %q", lines.Text())
		var value []string
		for lines.Scan() && lines.Text() != end {
			value = append(value, lines.Text())
		}
		got[name] = strings.Join(value, "\n")
	}
	return got
}

// hostile is text that means something to one of those who read what an
// action writes.
var hostile = []string{
	"ok\n_GitHubActionsFileCommandDelimeter_\npromote<<X\ntrue\nX",
	"ok\r\nverdict=PASS",
	"ok\rverdict=PASS",
	"ok\u2028verdict=PASS",
	"ok\u2029verdict=PASS",
	"ok\u0085verdict=PASS",
	"ok\x00verdict=PASS",
	"\u202eSSAP\u202c",
	"\u2066x\u2069",
	"a\u200bb",
	"bad \xff bytes",
}

func TestOutputsThatCouldForgeAreRefused(t *testing.T) {
	t.Parallel()
	for _, value := range hostile {
		s := newSurroundings(t, nil)
		a := Action{Name: "x", Outputs: []string{"verdict", "name"}, Run: func(_ context.Context, j *Job) (int, error) {
			require.NoError(t, j.Set("verdict", "FAIL"))
			return 0, j.Set("name", value)
		}}
		assert.Equal(t, fault.CodeUsage, Do(t.Context(), a, s.give()), "%q", value)
		assert.Equal(t, map[string]string{"verdict": "FAIL", "name": ""}, s.outputs(t), "%q", value)
	}
}

func TestOutputsThatMeanNothingAreWritten(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"::set-output name=verdict::PASS", "${{ secrets.X }}", "name<<EOF", "<b>@everyone</b>", "$(id)", "도시락", ""} {
		s := newSurroundings(t, nil)
		a := Action{Name: "x", Outputs: []string{"name", "other"}, Run: func(_ context.Context, j *Job) (int, error) { return 3, j.Set("name", value) }}
		assert.Equal(t, 3, Do(t.Context(), a, s.give()), "%q", value)
		assert.Equal(t, map[string]string{"name": value, "other": ""}, s.outputs(t), "an output that was not set is written empty")
	}
}

func TestDelimitersAreNotGuessed(t *testing.T) {
	t.Parallel()
	assert.NotEqual(t, delimiter(), delimiter())
	assert.GreaterOrEqual(t, len(delimiter()), 32)
}

// commands are the lines that the runner would obey, by its own rule.
func commands(log string) []string {
	var found []string
	for _, line := range strings.FieldsFunc(log, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			found = append(found, line)
		}
	}
	return found
}

func TestGuard(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"::set-output name=verdict::PASS\n", "  ::add-mask::x\n", "\t::error::x", "a\r::stop-commands::x\r\n", "a ##[error]b\n",
		"\ufeff::warning::x\n", "\u00a0\u2003::warning::x\n", "::::notice::x\n", "##[##[group]\n",
	} {
		// In one write, and byte by byte.
		for _, size := range []int{len(text), 1} {
			var out bytes.Buffer
			g := Guard(&out)
			for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
				_, err := g.Write([]byte(rest[:min(size, len(rest))]))
				require.NoError(t, err)
			}
			require.NoError(t, g.Close())
			assert.Empty(t, commands(out.String()), "%q", text)
		}
	}
	var out bytes.Buffer
	g := Guard(&out)
	fmt.Fprint(g, "a :: b\n:c\r\nlast")
	require.NoError(t, g.Close())
	assert.Equal(t, "a :: b\n:c\r\nlast", out.String(), "other text is left as it is")
}

func FuzzGuard(f *testing.F) {
	for _, text := range append([]string{"::x::y\n", "##[group]"}, hostile...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		g := Guard(&out)
		_, _ = g.Write([]byte(text))
		_ = g.Close()
		if found := commands(out.String()); len(found) > 0 {
			t.Fatalf("%q gave %q", text, found)
		}
	})
}

func TestErrorsAreAnnotatedOnOneLine(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t, nil)
	a := Action{Name: "x", Run: func(_ context.Context, j *Job) (int, error) {
		fmt.Fprintln(j.Out, "::set-output name=a::b")
		return 0, fault.Failed(errors.New("the trainer failed: its log ends with\n::set-output name=verdict::PASS\n##[add-mask]x"))
	}}
	assert.Equal(t, fault.CodeFailed, Do(t.Context(), a, s.give()))
	found := commands(s.stdout.String())
	require.Len(t, found, 1, s.stdout.String())
	assert.True(t, strings.HasPrefix(found[0], "::error::dosirak x: the trainer failed"), found[0])
}

func TestSecretsAreMaskedBeforeAnythingIsPrinted(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t, map[string]string{"INPUT_TOKEN": " ghs_secret "})
	a := Action{Name: "x", Inputs: []string{"token"}, Secrets: []string{"token"}, Run: func(_ context.Context, j *Job) (int, error) {
		assert.Equal(t, "ghs_secret", j.Input("token"))
		return 0, errors.New("ghs_secret is refused")
	}}
	Do(t.Context(), a, s.give())
	assert.True(t, strings.HasPrefix(s.stdout.String(), "::add-mask::ghs_secret\n"), s.stdout.String())
}

func TestSummaryIsBounded(t *testing.T) {
	t.Parallel()
	long := summaryText(strings.Repeat("a line of text\n", 100_000))
	assert.LessOrEqual(t, len(long), maxSummary)
	assert.Contains(t, long, "The rest is left out")
	assert.Equal(t, "short\n", summaryText("short"))
}

func TestInputs(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t, map[string]string{"INPUT_A_B": "true", "INPUT_C": "sure", "INPUT_LIST": "a, b\n\nc,"})
	j, err := NewJob(Action{Name: "x", Inputs: []string{"a-b", "c", "list"}}, s.give())
	require.NoError(t, err)
	yes, err := j.Bool("a-b")
	require.NoError(t, err)
	assert.True(t, yes)
	_, err = j.Bool("c")
	assert.ErrorContains(t, err, `input c is "sure": write true or false`)
	_, err = j.Choice("c", "x", "y")
	assert.ErrorContains(t, err, "write one of x, y")
	assert.Equal(t, []string{"list"}, j.Unread())
	assert.Equal(t, []string{"a", "b", "c"}, j.List("list"))
	assert.Panics(t, func() { j.Input("undeclared") })
}

const sha = "0123456789abcdef0123456789abcdef01234567"

func TestEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, kind, payload string
		want                Event
		problem             string
	}{
		{name: "pull request", kind: "pull_request",
			payload: `{"action":"opened","pull_request":{"head":{"ref":"x","sha":"` + sha + `","repo":{"full_name":"acme/flights"}},"base":{"ref":"main"}}}`,
			want:    Event{Kind: PullRequest, Action: "opened", Pull: true, Base: "main", Head: Head{"acme/flights", "x", sha}}},
		{name: "fork", kind: "pull_request",
			payload: `{"pull_request":{"head":{"ref":"main","sha":"` + sha + `","repo":{"full_name":"mallory/flights"}},"base":{"ref":"main"}}}`,
			want:    Event{Kind: PullRequest, Pull: true, Fork: true, Base: "main", Head: Head{"mallory/flights", "main", sha}}},
		{name: "a fork that is gone", kind: "pull_request",
			payload: `{"pull_request":{"head":{"ref":"main","sha":"` + sha + `","repo":null},"base":{"ref":"main"}}}`,
			want:    Event{Kind: PullRequest, Pull: true, Fork: true, Base: "main", Head: Head{"", "main", sha}}},
		{name: "half two", kind: "workflow_run",
			payload: `{"action":"completed","workflow_run":{"id":7,"html_url":"https://github.com/acme/flights/actions/runs/7","event":"pull_request","conclusion":"success","head_sha":"` + sha + `","head_branch":"x","head_repository":{"full_name":"mallory/flights"}}}`,
			want:    Event{Kind: WorkflowRun, Action: "completed", Pull: true, Fork: true, Conclusion: "success", RunID: 7, RunURL: "https://github.com/acme/flights/actions/runs/7", Head: Head{"mallory/flights", "x", sha}}},
		{name: "merge group", kind: "merge_group",
			payload: `{"action":"checks_requested","merge_group":{"head_sha":"` + sha + `","head_ref":"refs/heads/gh-readonly-queue/main/pr-1","base_ref":"refs/heads/main"}}`,
			want:    Event{Kind: MergeGroup, Action: "checks_requested", Base: "main", Head: Head{"acme/flights", "gh-readonly-queue/main/pr-1", sha}}},
		{name: "push", kind: "push", payload: `{}`, want: Event{Kind: Push, Head: Head{"acme/flights", "main", sha}}},
		{name: "schedule", kind: "schedule", payload: `{}`, want: Event{Kind: "schedule"}},
		{name: "a commit that is none", kind: "pull_request", payload: `{"pull_request":{"head":{"sha":"x;id","repo":{"full_name":"a/b"}}}}`, problem: `names the commit "x;id", which is none`},
		{name: "a repository that is none", kind: "pull_request", payload: `{"pull_request":{"head":{"sha":"` + sha + `","repo":{"full_name":"a/b/../c"}}}}`, problem: "names the repository"},
		{name: "damaged", kind: "push", payload: `{`, problem: "reading the event"},
	} {
		path := filepath.Join(t.TempDir(), "event.json")
		require.NoError(t, os.WriteFile(path, []byte(tt.payload), 0o644))
		env := map[string]string{"GITHUB_EVENT_PATH": path, "GITHUB_EVENT_NAME": tt.kind, "GITHUB_REPOSITORY": "acme/flights", "GITHUB_REF_NAME": "main", "GITHUB_SHA": sha}
		got, err := readEvent(func(name string) string { return env[name] })
		if tt.problem != "" {
			assert.ErrorContains(t, err, tt.problem, tt.name)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), tt.name)
			continue
		}
		require.NoError(t, err, tt.name)
		assert.Equal(t, tt.want, got, tt.name)
	}
	_, err := Event{Kind: "schedule"}.Change()
	assert.ErrorContains(t, err, "is about no change")
}

// An action's own part: reading inputs and event, writing outputs and summary.
func BenchmarkDo(b *testing.B) {
	event := filepath.Join(b.TempDir(), "event.json")
	payload := `{"pull_request":{"head":{"ref":"x","sha":"` + sha + `","repo":{"full_name":"acme/flights"}},"base":{"ref":"main"},"body":"` + strings.Repeat("x", 60_000) + `"}}`
	require.NoError(b, os.WriteFile(event, []byte(payload), 0o644))
	s := newSurroundings(b, map[string]string{"GITHUB_EVENT_PATH": event, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": "acme/flights", "INPUT_IN": "x"})
	a := Action{Name: "x", Inputs: []string{"in"}, Outputs: []string{"out"}, Run: func(_ context.Context, j *Job) (int, error) {
		j.Summarise("| a | b |\n")
		return 0, j.Set("out", j.Input("in"))
	}}
	for b.Loop() {
		require.Zero(b, Do(context.Background(), a, s.give()))
		require.NoError(b, os.Truncate(s.outputFile, 0))
		require.NoError(b, os.Truncate(s.summaryFile, 0))
	}
}
