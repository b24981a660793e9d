package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// session is one run on its way from training to a report.
type session struct {
	project *project.Project
	env     Env
	asked   Request
	store   *store.Store
	run     *store.Run

	trainRows, evalRows *dataset.Table
	leakage             dataset.LeakageReport
	exam                exam.Exam         // today's
	promotedTable       *dataset.Table    // its rows, where they are known
	promotedExam        *exam.Exam        // the one that production was promoted by; nil: unknown
	deployed            *project.Deployed // nil: a first model
	baseBranchMissing   bool              // there is Git, and no base branch: production is what the change says
	baselineAnswers     *predictions.Set  // to today's exam; nil: not asked yet
	baseline, anchor    *openedBundle     // nil: a first model
	staged              *project.Deployed // the environment whose bundle is the candidate; nil: trained here

	// chain is the digest of all that the steps so far depend on and gave: the
	// key under which the next step is remembered. An edit between two tries of
	// a run makes every later step anew.
	chain string
	spent map[string]time.Duration // by step
}

var commitName = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// begin opens the run.
func begin(ctx context.Context, p *project.Project, env Env, asked Request) (*session, error) {
	var err error
	if asked.Environment, err = p.Environment(asked.Environment); err != nil {
		return nil, err
	}
	if asked.TrainedAt != "" {
		if asked.Trained == "" || !commitName.MatchString(asked.TrainedAt) {
			return nil, fault.Usage(fmt.Errorf("commit %q: give the full hexadecimal name of the commit that was trained elsewhere, together with the folder of that training", asked.TrainedAt))
		}
		q := *p
		q.Commit, q.Changed = asked.TrainedAt, nil
		p = &q
	}
	if asked.Profile == "" {
		asked.Profile = p.Config.Smoke.Profile
	}
	// Said before any training is paid for.
	if _, err := smoke.ParseProfile(asked.Profile); err != nil {
		return nil, err
	}
	if asked.Promote {
		if err := promotable(ctx, p, env.Forge); err != nil {
			return nil, err
		}
	}
	of, err := configDigest(p)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{
		"model": p.Config.Model, labelEnvironment: asked.Environment, labelConfig: p.ConfigPath, labelConfigDigest: of, "commit": p.Commit,
	}
	kept, err := store.Open(p.Dir, store.Options{Now: env.Now, Log: env.Observer.Log})
	if err != nil {
		return nil, err
	}
	s := &session{project: p, env: env, asked: asked, store: kept, spent: map[string]time.Duration{}}
	if asked.Resume != "" {
		if s.run, err = kept.Resume(ctx, asked.Resume); err == nil {
			err = s.run.Relabel(labels)
		}
	} else {
		s.run, err = kept.NewRun(ctx, "run", labels)
	}
	if err != nil {
		kept.Close()
		return nil, err
	}
	return s, nil
}

// configDigest is the digest of the config's text as it lies there.
func configDigest(p *project.Project) (string, error) {
	text, err := os.ReadFile(p.Path(p.ConfigPath))
	if err != nil {
		return "", fault.ConfigUnreadable.Usage(fmt.Errorf("reading the config: %w", err))
	}
	return digest.Of(text), nil
}

// end closes the run with what became of it.
func (s *session) end(out Outcome, err error) error {
	code := fault.ExitCode(err)
	if err == nil {
		code = out.Verdict.ExitCode()
	}
	finished := s.run.Finish(code, err)
	closed := s.store.Close()
	if err != nil {
		return err
	}
	if finished != nil {
		return finished
	}
	return closed
}

// steps are those that the run will make, in their order.
func (s *session) steps() []string {
	steps := []string{"train", "prove", "seal", "evaluate", "compare", "image", "smoke", "report"}
	if s.earlier() != "" {
		steps = steps[2:] // the bundle is the earlier environment's
	}
	if s.asked.Promote {
		steps = append(steps, "promote")
	}
	return steps
}

// step makes one step of the run, or takes what an earlier try of this run
// made of it. depends is what the step depends on beside the steps before it.
func step[T any](ctx context.Context, s *session, name string, depends any, make func(context.Context, *store.Step) (T, error)) (T, error) {
	var result T
	key, err := s.link(name, depends)
	if err != nil {
		return result, err
	}
	started := s.env.Now()
	s.env.Observer.Start(name, "")
	record, reused, err := s.run.Step(ctx, name, key, func(ctx context.Context, made *store.Step) error {
		value, err := make(ctx, made)
		if err != nil {
			return err
		}
		result = value
		return made.SetResult(value)
	})
	s.spent[name] = s.env.Now().Sub(started)
	if record.Ended != nil {
		// What the record says, so that a run which goes on reports the times of
		// the steps that it takes over. Without the monotonic clock, which no file
		// keeps.
		s.spent[name] = record.Ended.Round(0).Sub(record.Started.Round(0))
	}
	detail := ""
	if err == nil && reused {
		detail = "as this run made it before"
		if err = json.Unmarshal(record.Result, &result); err != nil {
			err = fault.Usage(fmt.Errorf("reading what step %s left in %s: %w", name, s.run.Dir(), err))
		}
	}
	if err == nil {
		if said, ok := any(result).(fmt.Stringer); ok && detail == "" {
			detail = said.String()
		}
		_, err = s.link(name+" gave", result)
	}
	s.env.Observer.Done(name, detail, err)
	return result, err
}

// link adds to the chain and returns it.
func (s *session) link(name string, value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", fault.Usage(fmt.Errorf("remembering step %s: %w", name, err))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", s.chain, name, data))
	s.chain = hex.EncodeToString(sum[:])
	return s.chain, nil
}
