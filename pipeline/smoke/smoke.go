package smoke

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Profile says how much is tested.
type Profile string

const (
	Quick Profile = "quick" // at most 5 s
	Full  Profile = "full"  // at most 30 s: every golden row alone, more load
)

// ParseProfile reads the name of a profile.
func ParseProfile(s string) (Profile, error) {
	switch p := Profile(s); p {
	case Quick, Full:
		return p, nil
	}
	return "", fault.Usage(fmt.Errorf("profile %q: use quick or full", s))
}

// Options says what to test and against what.
type Options struct {
	Target  serving.Target
	Bundle  *bundle.Opened // what must be served; nil: what needs it is not run
	Model   string         // name in URLs; empty: the bundle's, else the only one there is
	Profile Profile        // empty: Quick
	SLO     exam.SLO       // zero values are not judged

	// RequireDigest makes it a failure when the server does not tell the digest
	// of its bundle. True for this project's server, false for others.
	RequireDigest bool

	ImageSize      int64 // bytes, unpacked; 0: no image
	ImageTransfers int64 // bytes that a pull transfers; 0: unknown

	// DrainBound is how long a server may take from SIGTERM to its end; 0: 10 s,
	// after which Docker kills.
	DrainBound time.Duration

	// Progress is told about each check as it ends; nil: nobody is.
	Progress func(Row)
}

// Row is the result of one check.
type Row struct {
	Name       string          `json:"name"`
	Verdict    verdict.Verdict `json:"verdict,omitempty"` // empty: not run, Detail says why
	Detail     string          `json:"detail,omitempty"`
	DurationMS float64         `json:"duration_ms"`
}

// Latencies are milliseconds from request to answer.
type Latencies struct {
	Requests int      `json:"requests"`
	Rate     float64  `json:"rate"` // requests a second that were offered
	RateSLO  *float64 `json:"rate_slo,omitempty"`
	P50      float64  `json:"p50"`
	P90      float64  `json:"p90"`
	P99      float64  `json:"p99"`
	Max      float64  `json:"max"`
	P99SLO   *float64 `json:"p99_slo,omitempty"`
	Alone    float64  `json:"alone_p50"` // one request after the other
}

// Result is the smoke test of one server. Field names are those of the
// report's.
type Result struct {
	Verdict    verdict.Verdict `json:"verdict"`
	Target     serving.Kind    `json:"target"`
	Why        string          `json:"why,omitempty"`
	Profile    Profile         `json:"profile"`
	Checks     []Row           `json:"checks"`
	Latencies  *Latencies      `json:"latencies,omitempty"`
	ReadyMS    *float64        `json:"ready_ms,omitempty"`
	ReadySLO   *float64        `json:"ready_slo_ms,omitempty"`
	ImageSize  *int64          `json:"image_size,omitempty"`
	ImageSLO   *int64          `json:"image_slo,omitempty"`
	Compressed *int64          `json:"image_compressed,omitempty"`
	Memory     *int64          `json:"memory,omitempty"` // bytes, peak
	MemorySLO  *int64          `json:"memory_slo,omitempty"`
	Logs       string          `json:"logs,omitempty"` // end of what the server wrote, when the verdict is not PASS
	StartMS    float64         `json:"start_ms"`       // starting the target, such as loading an image and making a container
	TotalMS    float64         `json:"total_ms"`
}

// bound is the longest that a whole smoke test may take, starting included. A
// server that answers slowly is cut off by it, never waited for.
func (p Profile) bound() time.Duration {
	if p == Full {
		return 3 * time.Minute
	}
	return 90 * time.Second
}

// Run starts the target, runs all checks, and removes what it started, also
// when ctx ends in between. An error means that there is no result: the target
// could not be started (Docker, the executable), or the run was interrupted.
// A server that misbehaves is no error but a FAIL.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Profile == "" {
		o.Profile = Quick
	}
	begin := time.Now()
	bounded, cancel := context.WithTimeout(ctx, o.Profile.bound())
	defer cancel()

	server, err := o.Target.Start(bounded)
	if err != nil {
		return Result{}, startError(ctx, err)
	}
	s, err := newSession(o, server)
	if err != nil {
		return Result{}, errors.Join(err, serving.Stop(server))
	}
	s.result.StartMS = millis(time.Since(begin))
	s.runChecks(bounded)
	if s.result.Verdict != verdict.Pass {
		s.result.Logs = server.Logs(context.WithoutCancel(ctx))
	}
	closed := serving.Stop(server)
	s.result.TotalMS = millis(time.Since(begin))
	if ctx.Err() != nil {
		return Result{}, errors.Join(fmt.Errorf("smoke test: %w", ctx.Err()), closed)
	}
	if closed != nil {
		return s.result, fault.Environment(fmt.Errorf("smoke test: cleaning up: %w", closed))
	}
	return s.result, nil
}

func startError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("smoke test: %w", ctx.Err())
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Environment(fmt.Errorf("smoke test: starting the server took too long: %w", err))
	}
	return fmt.Errorf("smoke test: %w", err)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
