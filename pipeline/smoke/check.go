package smoke

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
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
	options  Options
	instance Instance
	client   client
	result   Result

	model   string           // name in URLs
	golden  bundle.Golden    // zero without a bundle
	inputs  []tensor.Tensor  // golden inputs; nil where there are none
	answers []tensor.Tensor  // golden outputs
	serves  bundle.Signature // the bundle's, else what the server says of itself
}

func newSession(o Options, instance Instance) (*session, error) {
	s := &session{options: o, instance: instance, client: newClient(instance.URL()), model: o.Model}
	if e, ok := instance.(explained); ok {
		o.Why = e.why
	}
	s.result = Result{Target: instance.Kind(), Why: o.Why, Profile: o.Profile}
	if b := o.Bundle; b != nil {
		s.serves = b.Bundle.Signature
		if s.model == "" {
			s.model = b.Bundle.Model.Name
		}
		var err error
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

// quoted makes text from outside fit for a sentence, in quotation marks.
func quoted(text string) string { return strconv.Quote(cleaned(text)) }

// cleaned makes text that holds some from outside fit for a sentence: one
// line, short, nothing that a terminal would act on.
func cleaned(text string) string {
	const most = 160
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "..."
	}
	return text
}
