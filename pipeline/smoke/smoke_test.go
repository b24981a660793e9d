package smoke

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/brokenserver"
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// asServer in the environment makes this test binary the broken server.
const asServer = "DOSIRAK_TEST_BROKENSERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(brokenserver.Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func openBundle(t *testing.T, f brokenserver.Fault) *bundle.Opened {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	require.NoError(t, brokenserver.Write(dir, f))
	opened, err := bundle.Open(dir)
	require.NoError(t, err)
	return opened
}

// processOf is the broken server with fault f as a process.
func processOf(t *testing.T, opened *bundle.Opened) serving.Process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return serving.Process{Argv: serving.ServerArgv(self, brokenserver.Model, opened.Dir), Environ: []string{asServer + "=1"}}
}

func optionsFor(t *testing.T, f brokenserver.Fault) Options {
	t.Helper()
	opened := openBundle(t, f)
	return Options{
		Target: processOf(t, opened), Bundle: opened, RequireDigest: true,
		SLO: exam.SLO{RatePerSecond: 200, P99Millis: 5000, ReadyMillis: 30_000, ImageBytes: 20e6, MemoryBytes: 1 << 30},
	}
}

func rowOf(t *testing.T, r Result, name string) Row {
	t.Helper()
	for _, row := range r.Checks {
		if row.Name == name {
			return row
		}
	}
	require.Fail(t, "no such check", name)
	return Row{}
}

func TestAGoodServerPasses(t *testing.T) {
	t.Parallel()
	for _, profile := range []Profile{Quick, Full} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			o := optionsFor(t, "")
			o.Profile, o.ImageSize, o.ImageTransfers = profile, 10e6, 4e6
			told := 0
			o.Progress = func(Row) { told++ }
			r, err := Run(t.Context(), o)
			require.NoError(t, err)
			for _, row := range r.Checks {
				assert.Equal(t, verdict.Pass, row.Verdict, "%s: %s", row.Name, row.Detail)
			}
			assert.Equal(t, verdict.Pass, r.Verdict, r.Logs)
			assert.Equal(t, serving.KindProcess, r.Target)
			assert.Len(t, r.Checks, len(checks))
			assert.Equal(t, len(checks), told)
			require.NotNil(t, r.Latencies)
			assert.Positive(t, r.Latencies.Requests)
			assert.LessOrEqual(t, r.Latencies.P50, r.Latencies.P99)
			require.NotNil(t, r.ReadyMS)
			assert.Empty(t, r.Logs)
		})
	}
}

// Each check catches what it is there for.
func TestBrokenServersFail(t *testing.T) {
	t.Parallel()
	cases := []struct {
		fault  brokenserver.Fault
		check  string
		want   string
		change func(*Options)
	}{
		{brokenserver.NeverReady, "ready", "the last answer was 503", func(o *Options) { o.SLO.ReadyMillis = 100 }},
		{brokenserver.EndsAtStart, "ready", "ended with exit code 3 before it was ready", nil},
		{brokenserver.SlowToStart, "ready", "the service level is 100 ms", func(o *Options) { o.SLO.ReadyMillis = 100 }},
		{brokenserver.WrongName, "metadata", `calls itself "product"`, nil},
		{brokenserver.WrongSignature, "metadata", `input "x" is FP64, in the bundle FP32`, nil},
		{brokenserver.WrongDigest, "metadata", "it serves the bundle", nil},
		{brokenserver.NoDigest, "metadata", "does not tell the digest", nil},
		{brokenserver.WrongAnswers, "golden answers", "8 rows in one request: 8 values are wrong", nil},
		{brokenserver.WrongInBatch, "golden answers", "8 rows in one request", nil},
		{brokenserver.WrongAlone, "golden answers", "row 0 alone", nil},
		{brokenserver.OtherType, "golden answers", "FP64", nil},
		{brokenserver.DiesAfterFirst, "golden answers", "row 0 alone", nil},
		{brokenserver.ErrorOnBadInput, "bad inputs", "not a 4xx", nil},
		{brokenserver.AcceptsBadInput, "bad inputs", "not a 4xx", nil},
		{brokenserver.PlainErrors, "bad inputs", "without an error object", nil},
		{brokenserver.LeaksStack, "bad inputs", "the server's insides", nil},
		{brokenserver.HangsOnBadInput, "bad inputs", "no answer in time", nil},
		{brokenserver.CrashesOnBadInput, "bad inputs", "the server ended with exit code 2", nil},
		{brokenserver.BreaksAfterBad, "bad inputs", "a good one is not answered", nil},
		{brokenserver.AnyModel, "bad inputs", "an unknown model: the answer is 200", nil},

		{brokenserver.FailsUnderLoad, "latency", "503", nil},
		{"", "image size", "30.0 MB; the bound is 20.0 MB", func(o *Options) { o.ImageSize = 30e6 }},
		{brokenserver.Hoards, "memory", "the bound is 64.0 MB", func(o *Options) { o.SLO.MemoryBytes = 64e6 }},
		{brokenserver.IgnoresSIGTERM, "sigterm", "still running 4 s after SIGTERM", func(o *Options) { o.DrainBound = 4 * time.Second }},
		{brokenserver.DropsInFlight, "sigterm", "in flight at SIGTERM was dropped", nil},
		{brokenserver.ExitsNonZero, "sigterm", "ended with exit code 7", nil},
	}
	for _, c := range cases {
		t.Run(string(c.fault)+" "+c.check, func(t *testing.T) {
			t.Parallel()
			o := optionsFor(t, c.fault)
			if c.change != nil {
				c.change(&o)
			}
			r, err := Run(t.Context(), o)
			require.NoError(t, err)
			assert.Equal(t, verdict.Fail, r.Verdict)
			row := rowOf(t, r, c.check)
			assert.Equal(t, verdict.Fail, row.Verdict, row.Detail)
			assert.Contains(t, row.Detail, c.want)
			for _, row := range r.Checks {
				// What comes before the broken thing is not blamed for it.
				if row.Name == c.check {
					break
				}
				assert.NotEqual(t, verdict.Fail, row.Verdict, "%s: %s", row.Name, row.Detail)
			}
		})
	}
}

// A slow server never passes. On a busy machine the test may be unable to tell.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	o := optionsFor(t, brokenserver.Slow)
	o.SLO.P99Millis = 10
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	assert.NotEqual(t, verdict.Pass, r.Verdict)
	row := rowOf(t, r, "latency")
	assert.NotEqual(t, verdict.Pass, row.Verdict)
	assert.Contains(t, row.Detail, "took longer than the 10.0 ms")
}

func TestWithoutReadinessNothingIsRun(t *testing.T) {
	t.Parallel()
	r, err := Run(t.Context(), optionsFor(t, brokenserver.EndsAtStart))
	require.NoError(t, err)
	for _, row := range r.Checks[1:] {
		assert.Empty(t, row.Verdict, row.Name)
		assert.Equal(t, "the server never became ready", row.Detail)
	}
	assert.Contains(t, r.Logs, "this server ends at its start")
}

// A server that runs already is asked, not loaded when it is elsewhere, and
// not ended.
func TestAddress(t *testing.T) {
	t.Parallel()
	opened := openBundle(t, "")
	s, err := brokenserver.Open(opened.Dir, brokenserver.Model)
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for _, o := range []Options{
		{Target: serving.Address{URL: server.URL}, Bundle: opened},
		{Target: serving.Address{URL: server.URL + "/"}, Model: brokenserver.Model},
	} {
		r, err := Run(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, verdict.Pass, r.Verdict, "%+v", r.Checks)
		assert.Equal(t, serving.KindAddress, r.Target)
		assert.Empty(t, rowOf(t, r, "sigterm").Verdict)
		assert.Empty(t, rowOf(t, r, "memory").Verdict)
		if o.Bundle == nil {
			assert.Empty(t, rowOf(t, r, "golden answers").Verdict)
		}
	}
	assert.True(t, loopback("http://127.0.0.1:80"))
	assert.True(t, loopback("http://[::1]:80"))
	assert.False(t, loopback("https://models.example"))
	assert.False(t, loopback("http://10.0.0.1"))
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	r, err := Run(t.Context(), Options{Target: serving.Address{URL: "http://127.0.0.1:1"}, Model: "m", SLO: exam.SLO{ReadyMillis: 1}})
	require.NoError(t, err)
	assert.Equal(t, verdict.Fail, r.Verdict)
}

func TestBadUse(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		o    Options
		code int
		want string
	}{
		{"no model", Options{Target: serving.Address{URL: "http://127.0.0.1:1"}}, 2, "which model?"},
		{"a model with a path", Options{Target: serving.Address{URL: "http://127.0.0.1:1"}, Model: "../x"}, 2, `model name "../x"`},
		{"no executable", Options{Target: serving.Process{Argv: serving.ServerArgv("/no/such/file", "m", "b")}, Model: "m"}, 4, "starting the server"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Run(t.Context(), c.o)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, c.code, fault.ExitCode(err))
		})
	}
	_, err := ParseProfile("slow")
	require.ErrorContains(t, err, "use quick or full")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

// Ctrl-C in the middle ends the server and is no verdict.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	o := optionsFor(t, "")
	var started serving.Server
	o.Target = observed{o.Target, func(i serving.Server) { started = i }}
	o.Progress = func(Row) { cancel() }
	_, err := Run(ctx, o)
	require.Error(t, err)
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
	_, ended, err := started.Lifecycle().Exited(t.Context())
	require.NoError(t, err)
	assert.True(t, ended)
}

// observed tells what its target started.
type observed struct {
	serving.Target
	tell func(serving.Server)
}

func (o observed) Start(ctx context.Context) (serving.Server, error) {
	i, err := o.Target.Start(ctx)
	if err == nil {
		o.tell(i)
	}
	return i, err
}

// Where Docker cannot be used, the server is tested as a process, and it is
// said why.
func TestAutoWithoutDocker(t *testing.T) {
	t.Parallel()
	o := optionsFor(t, "")
	process := o.Target
	o.Target = serving.Auto{
		Container: serving.Container{Docker: serving.Docker{Command: "no-such-docker"}},
		Process:   func(context.Context) (serving.Target, error) { return process, nil },
	}
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, r.Verdict)
	assert.Equal(t, serving.KindProcess, r.Target)
	assert.Equal(t, "there is no docker command; the server runs as a process", r.Why)
}

func TestPaceIsOpenLoop(t *testing.T) {
	t.Parallel()
	// Each answer takes ten times as long as the next request is away; all are
	// sent nevertheless.
	samples := pace(t.Context(), 1000, 50, func(context.Context) error {
		time.Sleep(10 * time.Millisecond)
		return nil
	})
	sorted, failed, err := summary(samples)
	require.NoError(t, err)
	assert.Zero(t, failed)
	require.Len(t, sorted, 50)
	assert.GreaterOrEqual(t, sorted[0], 10*time.Millisecond)
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	var sorted []time.Duration
	for i := range 100 {
		sorted = append(sorted, time.Duration(i+1))
	}
	assert.EqualValues(t, 50, quantile(sorted, 0.5))
	assert.EqualValues(t, 99, quantile(sorted, 0.99))
	assert.EqualValues(t, 1, quantile(sorted[:1], 0.99))
}

func TestJudge(t *testing.T) {
	t.Parallel()
	ms := func(n int, slow int) []time.Duration {
		out := make([]time.Duration, n)
		for i := range out {
			out[i] = time.Millisecond
			if i >= n-slow {
				out[i] = time.Second
			}
		}
		return out
	}
	bound := 20.0
	cases := []struct {
		name string
		slow int
		late time.Duration
		want verdict.Verdict
	}{
		{"within", 3, 0, ""},
		{"over, but that may be chance", 4, 0, verdict.Inconclusive},
		{"over beyond chance", 9, 0, verdict.Fail},
		{"over beyond chance on a machine that is late itself", 9, time.Second, verdict.Inconclusive},
		{"within on such a machine", 0, time.Second, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sorted := ms(300, c.slow)
			l := &Latencies{P99SLO: &bound, P99: millis(quantile(sorted, 0.99))}
			assert.Equal(t, c.want, judge(l, sorted, c.late).verdict)
		})
	}
}

// With 1 % of slow requests, chance explains 5 of 300 and does not explain 9
// (binomial tail, summed exactly).
func TestTooMany(t *testing.T) {
	t.Parallel()
	assert.InDelta(t, 1, tooMany(300, 0), 1e-12)
	assert.InDelta(t, 0.1838888, tooMany(300, 5), 1e-7)
	assert.InDelta(t, 0.0036027, tooMany(300, 9), 1e-7)
}
