package pipeline

import (
	"context"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/metric/command"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Request says what is asked of a run.
type Request struct {
	Environment     string      // empty: the config's first one
	Promote         bool        // take the last step too
	Plan            bool        // with Promote: make the proposal and write nothing to Git
	AcknowledgeExam bool        // promote although the exam was changed
	Again           bool        // promote a bundle although the environment was rolled back from it
	Fresh           bool        // train although nothing changed
	Trained         string      // folder of a training that another machine made, read as hostile data; empty: train here
	TrainedAt       string      // commit that the training is of, with Trained; empty: the project's
	Resume          string      // run that goes on; empty: a new one
	Witness         Witness     // with Trained: who saw that training
	Links           Links       // of a proposal
	Rows            config.Rows // what is said of single evaluation rows; empty: the config's, else all
	Profile         string      // of the smoke test; empty: the config's
}

// Links are where the run and its repository can be seen; "" is nowhere.
type Links struct{ Repository, Run string }

// Witness says who saw a training that another machine made.
type Witness string

const (
	// Seen is a training by code and jobs that are trusted as much as this run.
	Seen Witness = ""
	// Claimed is one of a change by somebody who may push to the repository: its
	// word is shown as such, and counts.
	Claimed Witness = "claimed"
	// Unvouched is one of a change by anybody: its word is shown as such, and
	// proves nothing.
	Unvouched Witness = "unvouched"
)

// Env is what the machine offers to a run.
type Env struct {
	Release  string // version of dosirak
	CacheDir string // keeps built servers and image layers across projects
	Now      func() time.Time
	Observer Observer
	Server   image.Server  // where the image's server comes from
	Forge    promote.Forge // nil: this project cannot be promoted
	// Push brings the image to the repository that the manifest will name, before
	// anything is proposed; nil leaves that to somebody else.
	Push func(ctx context.Context, built image.Built, repository string) error
}

// Outcome is what a run decided.
type Outcome struct {
	Run       string            `json:"run"`
	Dir       string            `json:"dir"` // the run's folder
	Verdict   verdict.Verdict   `json:"verdict"`
	Unchanged bool              `json:"unchanged"`
	Report    report.Report     `json:"report"`
	Proposal  *promote.Proposal `json:"proposal,omitempty"`
	Promotion *promote.Outcome  `json:"promotion,omitempty"`
}

// Run takes a change of the project through all steps. It changes nothing in Git
// unless Request.Promote is set.
//
// A FAIL or INCONCLUSIVE stops nothing but the promotion: a reader of the
// report wants to see all that is wrong at once. An error means that
// it did not come to its end; what was finished is kept, and the run can
// go on from there with Request.Resume.
//
// A run that came to its verdict is not walked again: with Request.Promote it is
// proposed as it is.
func Run(ctx context.Context, p *project.Project, env Env, asked Request) (Outcome, error) {
	if asked.Resume != "" {
		done, err := ended(p, asked)
		if err != nil {
			return Outcome{}, err
		}
		if done {
			return Promote(ctx, p, env, asked, asked.Resume)
		}
	}
	s, err := begin(ctx, p, env, asked)
	if err != nil {
		return Outcome{}, err
	}
	out, err := s.takeSteps(ctx)
	return out, s.end(out, err)
}

func (s *session) takeSteps(ctx context.Context) (Outcome, error) {
	out := Outcome{Run: s.run.ID(), Dir: s.run.Dir()}
	s.env.Observer.Plan(s.steps())

	// What cannot run is said before anything is trained.
	for _, m := range s.project.Config.Metrics {
		if m.Command == "" {
			continue
		}
		if err := command.Check(ctx, s.project.Dir, m.Name, m.Command); err != nil {
			return out, err
		}
	}

	// The rows that train, the rows that decide, and what production runs.
	if err := s.load(ctx); err != nil {
		return out, err
	}
	// What these rows can show, before anything is trained for them.
	if err := s.sayPower(ctx); err != nil {
		return out, err
	}
	// The candidate: train with every seed, prove that the first one reproduces,
	// seal it. A later environment takes the bundle of the one before it.
	trained, proof, sealed, err := s.makeCandidate(ctx)
	if err != nil {
		return out, err
	}
	// What ships is what was trained: the sealed model says of the training rows
	// what the trainer's own library said.
	exported, err := s.export(ctx, trained, sealed)
	if err != nil {
		return out, err
	}
	// Candidate, production, anchor and the other seeds answer the same rows
	// through the server that ships.
	answers, err := s.evaluate(ctx, trained, sealed)
	if err != nil {
		return out, err
	}
	// PASS, FAIL or INCONCLUSIVE, by today's exam and by the one that production
	// was promoted by.
	judged, err := s.compare(ctx, sealed, answers)
	if err != nil {
		return out, err
	}
	// The bundle and the server become an image, and that very image is used as
	// its callers would.
	built, err := s.image(ctx, sealed)
	if err != nil {
		return out, err
	}
	tested, err := s.smoke(ctx, sealed, built)
	if err != nil {
		return out, err
	}
	found := stepResults{trained, proof, sealed, exported, answers, judged, built, tested}
	r, err := s.report(ctx, found)
	if err != nil {
		return out, err
	}
	out.Report, out.Verdict, out.Unchanged = r, r.Verdict, r.Unchanged
	if !s.asked.Promote {
		return out, nil
	}
	// One commit that changes one manifest. Merging it is the promotion.
	out.Proposal, out.Promotion, err = s.promote(ctx, r, found)
	if err != nil || out.Proposal == nil || !out.Promotion.Stands() {
		return out, err
	}
	return out, s.writeForReaders(&r, report.Proposal{Branch: out.Promotion.Branch, Address: out.Promotion.Address})
}
