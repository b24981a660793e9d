package smoke

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// check is one thing that is tested. A new one is a file with a run function
// and a row here. Order matters: ready comes first, sigterm ends the server.
type check struct {
	name  string
	bound time.Duration // of the quick profile; the full one has three times it
	run   func(context.Context, *session) outcome
}

var checks = []check{
	{"ready", readyBound, checkReady},
	{"metadata", 5 * time.Second, checkMetadata},
	{"golden answers", 10 * time.Second, checkGolden},
	{"bad inputs", 15 * time.Second, checkBadInputs},
	{"latency", 10 * time.Second, checkLatency},
	{"image size", time.Second, checkImageSize},
	{"memory", 5 * time.Second, checkMemory},
	{"sigterm", drainBound + 5*time.Second, checkSigterm},
}

// outcome is what a check found. An empty verdict means not run.
type outcome struct {
	verdict verdict.Verdict
	detail  string
}

func pass(format string, args ...any) outcome {
	return outcome{verdict.Pass, fmt.Sprintf(format, args...)}
}

func fail(format string, args ...any) outcome {
	return outcome{verdict.Fail, fmt.Sprintf(format, args...)}
}

func unclear(format string, args ...any) outcome {
	return outcome{verdict.Inconclusive, fmt.Sprintf(format, args...)}
}

func notRun(format string, args ...any) outcome { return outcome{detail: fmt.Sprintf(format, args...)} }

// session is what the checks of one run share.
type session struct {
	options Options
	server  serving.Server
	life    serving.Lifecycle // of the server; nil where this test did not start it
	client  serving.Client
	result  Result

	model   string           // name in URLs
	golden  bundle.Golden    // zero without a bundle
	inputs  []tensor.Tensor  // golden inputs; nil where there are none
	answers []tensor.Tensor  // golden outputs
	serves  bundle.Signature // the bundle's, else what the server says of itself
}

func newSession(o Options, server serving.Server) (*session, error) {
	client, err := serving.Connect(server)
	if err != nil {
		return nil, fmt.Errorf("smoke test: %w", err)
	}
	s := &session{options: o, server: server, life: server.Lifecycle(), client: client, model: o.Model}
	s.result = Result{Target: server.Kind(), Why: server.Why(), Profile: o.Profile}
	if b := o.Bundle; b != nil {
		s.serves = b.Bundle.Signature
		if s.model == "" {
			s.model = b.Bundle.Model.Name
		}
		if s.golden, err = b.Golden(); err != nil {
			return nil, fault.Usage(fmt.Errorf("smoke test: %w", err))
		}
		if s.inputs, s.answers, err = s.golden.Tensors(); err != nil {
			return nil, fault.Usage(fmt.Errorf("smoke test: %w", err))
		}
	}
	if s.model == "" {
		return nil, fault.Usage(errors.New("smoke test: which model? Give a bundle or a name"))
	}
	if !readable(s.model) {
		return nil, fault.Usage(fmt.Errorf("smoke test: model name %q: use letters, digits, . _ and -", s.model))
	}
	return s, nil
}

// readable reports whether name may stand in a URL as it is.
func readable(name string) bool {
	return name != "." && name != ".." && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

// runChecks runs the table and fills the result. Without readiness nothing
// else is run: it would only repeat that nobody answers.
func (s *session) runChecks(ctx context.Context) {
	defer s.client.Close()
	judged := []verdict.Verdict{}
	dead := ""
	for _, c := range checks {
		row := Row{Name: c.name}
		begin := time.Now()
		o := notRun("%s", dead)
		if dead == "" {
			o = s.bounded(ctx, c)
		}
		row.Verdict, row.Detail, row.DurationMS = o.verdict, o.detail, millis(time.Since(begin))
		if row.Verdict != "" {
			judged = append(judged, row.Verdict)
		}
		if c.name == checks[0].name && row.Verdict != verdict.Pass && s.result.ReadyMS == nil {
			dead = "the server never became ready"
		}
		s.result.Checks = append(s.result.Checks, row)
		if s.options.Progress != nil {
			s.options.Progress(row)
		}
	}
	s.result.Verdict = verdict.Worst(judged...)
}

func (s *session) bounded(ctx context.Context, c check) outcome {
	limit := c.bound
	if s.options.Profile == Full {
		limit *= 3
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.run(ctx, s)
}

// requestBound is how long one exchange may take.
const requestBound = 5 * time.Second

// within makes one exchange within a bound of its own; its error speaks of the
// server under test, without its address.
func within(ctx context.Context, bound time.Duration, exchange func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if err := exchange(ctx); err != nil {
		return serving.Plain(err)
	}
	return nil
}

// infer asks the model under test.
func (s *session) infer(ctx context.Context, inputs []tensor.Tensor) (outputs []tensor.Tensor, err error) {
	err = within(ctx, requestBound, func(ctx context.Context) (err error) {
		outputs, err = s.client.Infer(ctx, s.model, inputs)
		return err
	})
	return outputs, err
}

// notStarted is why a check that needs the server's process is not run.
const notStarted = "the server was not started by this test"

// ended reports whether the server's process has ended, and how.
func (s *session) ended(ctx context.Context) (code int, ended bool) {
	if s.life == nil {
		return 0, false
	}
	code, ended, err := s.life.Exited(ctx)
	return code, ended && err == nil
}

// mayBeLoaded reports whether more than single requests may be sent: to what
// was started here, and to this machine.
func (s *session) mayBeLoaded() bool {
	return s.server.Kind() != serving.KindAddress || loopback(s.server.URL())
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}

// oneRow returns the inputs of golden row i alone.
func oneRow(tensors []tensor.Tensor, i int) []tensor.Tensor {
	out := make([]tensor.Tensor, len(tensors))
	for k := range tensors {
		if tensors[k].Rows() == 0 {
			out[k] = tensors[k] // a scalar belongs to every row
			continue
		}
		out[k] = tensors[k].Slice(i, i+1)
	}
	return out
}

// rows returns the number of rows of tensors.
func rows(tensors []tensor.Tensor) int {
	n := 0
	for i := range tensors {
		n = max(n, tensors[i].Rows())
	}
	return n
}
