// Package run is the root action: a whole run in one step. It changes
// nothing on GitHub; the actions comment and promote tell what it found.
package run

import (
	"bytes"
	"context"
	"path/filepath"
	"strconv"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Walk runs all steps on a project with what this machine gives it.
type Walk func(ctx context.Context, p *project.Project, given Given, asked pipeline.Request) (pipeline.Outcome, error)

// Given stands in the place of what a machine has by itself.
type Given struct {
	Forge promote.Forge // where a promotion is proposed, nil for the local repository
	// Push brings the image where the manifest will name it, nil for nowhere.
	Push func(ctx context.Context, built image.Built, repository string) error
}

// Outputs of every action that makes a run.
var Outputs = []string{"verdict", "unchanged", "run", "report", "page", "bundle", "image", "archive"}

// Action returns the action.
func Action(walk Walk) runner.Action {
	return runner.Action{
		Name:    "run",
		Short:   "Run a change through all steps",
		Inputs:  []string{"directory", "config", "environment", "smoke", "fresh"},
		Outputs: Outputs,
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			fresh, err := j.Bool("fresh")
			if err != nil {
				return 0, err
			}
			p, err := j.Open(ctx, j.Input("directory"), j.Input("config"))
			if err != nil {
				return 0, err
			}
			out, err := walk(ctx, p, Given{}, pipeline.Request{Environment: j.Input("environment"), Profile: j.Input("smoke"), Fresh: fresh, Rows: Rows(ctx, p)})
			return Conclude(j, p, out, err)
		},
	}
}

// Rows says what may be published of single evaluation rows: what the config
// says, else all where the table is in Git at the commit that is checked out,
// and nothing where it is not. A pointer to Git LFS is no table.
func Rows(ctx context.Context, p *project.Project) config.Rows {
	if p.Config.Report.Rows != "" {
		return p.Config.Report.Rows
	}
	if p.Repo == nil {
		return config.HideRows
	}
	text, err := p.Repo.Show(ctx, "HEAD", p.Config.Data.Eval)
	if err != nil || bytes.HasPrefix(text, []byte("version https://git-lfs.github.com/")) {
		return config.HideRows
	}
	return config.ShowRows
}

// Conclude says what the run found and returns the exit code.
func Conclude(j *runner.Job, p *project.Project, out pipeline.Outcome, failed error) (int, error) {
	if out.Report.Schema == "" {
		return 0, failed
	}
	values := map[string]string{
		"verdict": string(out.Verdict), "unchanged": strconv.FormatBool(out.Unchanged), "run": out.Run,
		"report": filepath.Join(out.Dir, evidence.Report), "page": filepath.Join(out.Dir, evidence.Page),
		"bundle": string(out.Report.Candidate.Bundle), "image": string(out.Report.Candidate.Image),
		"archive": filepath.Join(out.Dir, "image", "image.tar"),
	}
	err := j.SetAll(values)
	j.Summarise(markdown.Summary(&out.Report, markdown.Options{Page: j.Address(), Place: report.Place{RunID: j.Getenv("GITHUB_RUN_ID")}}))
	if failed != nil {
		return 0, failed
	}
	if out.Verdict != verdict.Pass && !p.Config.Mode.Blocks(out.Verdict) {
		j.Notice("mode is advise, so %s does not block", out.Verdict)
		return 0, err
	}
	return out.Verdict.ExitCode(), err
}
