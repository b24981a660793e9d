package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/actions/comment"
	compareaction "github.com/dosirak-ml/dosirak/actions/compare"
	doctoraction "github.com/dosirak-ml/dosirak/actions/doctor"
	"github.com/dosirak-ml/dosirak/actions/download"
	"github.com/dosirak-ml/dosirak/actions/gather"
	imageaction "github.com/dosirak-ml/dosirak/actions/image"
	"github.com/dosirak-ml/dosirak/actions/labels"
	"github.com/dosirak-ml/dosirak/actions/plan"
	promoteaction "github.com/dosirak-ml/dosirak/actions/promote"
	reconcileaction "github.com/dosirak-ml/dosirak/actions/reconcile"
	"github.com/dosirak-ml/dosirak/actions/run"
	"github.com/dosirak-ml/dosirak/actions/runner"
	smokeaction "github.com/dosirak-ml/dosirak/actions/smoke"
	trainaction "github.com/dosirak-ml/dosirak/actions/train"
	"github.com/dosirak-ml/dosirak/actions/verify"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/doctor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
)

// actions are all actions of this binary.
func actions() []runner.Action {
	return []runner.Action{
		run.Action(walk),
		plan.Action(),
		labels.Action(openLabels),
		trainaction.Action(trainHere),
		download.Action(openArtifacts),
		gather.Action(),
		compareaction.Action(walk, compareFiles),
		imageaction.Action(completeImage, imageKeys),
		smokeaction.Action(testServer),
		comment.Action(openComments, time.Now),
		promoteaction.Action(walk, openPromotions),
		verify.Action(),
		reconcileaction.Action(completeReconcile),
		doctoraction.Action(completeDoctor, showDiagnosis),
	}
}

func newActionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "action NAME",
		Short: "Run one of the GitHub Actions, as action.yml does",
		Long: `action runs one of dosirak's GitHub Actions: inputs come from INPUT_ variables,
the event, outputs and the step summary are where GitHub's runner says.
docs/actions.md lists inputs and outputs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, a := range actions() {
		cmd.AddCommand(&cobra.Command{
			Use: a.Name, Short: a.Short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				environment := takeEnvironment()
				getenv := func(name string) string { return environment[name] }
				bundles, err := newBundles(getenv, getenv("GITHUB_TOKEN"))
				if err != nil {
					return err
				}
				code := runner.Do(cmd.Context(), a, runner.Surroundings{Getenv: getenv, Stdout: cmd.OutOrStdout(), Bundles: bundles})
				if code != 0 {
					return exit(code)
				}
				return nil
			},
		})
	}
	return cmd
}

// withheld are variables that code which is being judged has no business
// with: it could write outputs, the summary, or the environment of later steps
// through the runner's files, and use credentials.
var withheld = []string{
	"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "GITHUB_TOKEN", "GH_TOKEN",
	"ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL",
}

// takeEnvironment returns the environment and takes out of this process's own,
// which the trainer inherits, what is withheld.
func takeEnvironment() map[string]string {
	environment := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		environment[name] = value
		if strings.HasPrefix(name, "INPUT_") || slices.Contains(withheld, name) {
			_ = os.Unsetenv(name) // fails for an empty name only
		}
	}
	return environment
}

// imageKeys are the credentials with which the action image pushes.
func imageKeys(j *runner.Job, token string) authn.Keychain { return registryKeys(j.Getenv, token) }

// walk runs all steps on a project with what this machine gives it. A forge
// that is given stands in the place of the local repository.
func walk(ctx context.Context, p *project.Project, given run.Given, asked pipeline.Request) (pipeline.Outcome, error) {
	observer := openProgress(os.Stderr)
	defer observer.Close()
	env, err := newEnv(p, observer)
	if err != nil {
		return pipeline.Outcome{}, err
	}
	if given.Forge != nil {
		env.Forge = given.Forge
	}
	env.Push = given.Push
	return pipeline.Run(ctx, p, env, asked)
}

// trainHere trains replicates with what this machine gives.
func trainHere(ctx context.Context, p *project.Project, asked pipeline.Request, seeds []int64) (pipeline.Training, error) {
	observer := openProgress(os.Stderr)
	defer observer.Close()
	env, err := newEnv(p, observer)
	if err != nil {
		return pipeline.Training{}, err
	}
	return pipeline.Train(ctx, p, env, asked, seeds)
}

// compareFiles judges predictions files.
func compareFiles(ctx context.Context, f compareaction.Files) (compare.Result, error) {
	c, err := pipeline.CompareFiles(ctx, pipeline.Files{Candidate: f.Candidate, Baseline: f.Baseline, Anchor: f.Anchor, Config: f.Config})
	return c.Result, err
}

// completeImage fills in what building an image takes from this machine.
func completeImage(o *image.Options) error {
	cache, err := cacheFolder()
	if err != nil {
		return err
	}
	o.CacheDir, o.Release, o.Server = cache, releaseVersion(), newServer(cache, sayTo(os.Stderr))
	return nil
}

// completeReconcile fills in what follows the manifest and who is told.
func completeReconcile(j *runner.Job, p *project.Project, token, registry string, o *reconcile.Request) error {
	host, err := newGitHubHosting(p, withToken(j, token))
	if err != nil {
		return err
	}
	o.Head, o.Deployments, o.Issues, o.Registries = host.head, host.deployments, host.issues, newRegistries(j.Getenv, registry)
	return nil
}

// completeDoctor fills in what doctor looks at besides the project.
func completeDoctor(j *runner.Job, token string, o *doctor.Options) (done func(), err error) {
	if o.GitHub, err = newDoctorGitHub(withToken(j, token)); err != nil {
		return nil, err
	}
	cache, err := cacheFolder()
	if err != nil {
		return nil, err
	}
	o.Machine = doctor.ThisMachine(newServer(cache, sayTo(os.Stderr)))
	if o.WorkDir, err = os.MkdirTemp("", "dosirak-doctor-"); err != nil {
		return nil, fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
	}
	return func() { os.RemoveAll(o.WorkDir) }, nil
}

// withToken is the job's environment with the token of an input.
func withToken(j *runner.Job, token string) func(string) string {
	return func(name string) string {
		if name == "GITHUB_TOKEN" {
			return token
		}
		return j.Getenv(name)
	}
}

// testServer is the smoke test of the action.
func testServer(ctx context.Context, s smokeaction.Subject, done func(smoke.Row)) (smoke.Result, error) {
	work, err := os.MkdirTemp("", "dosirak-smoke-*")
	if err != nil {
		return smoke.Result{}, fault.Environment(fmt.Errorf("smoke test: %w", err))
	}
	defer os.RemoveAll(work)
	f := smokeFlags{bundle: s.Bundle, archive: s.Archive, url: s.URL, name: s.Name, profile: s.Profile}
	f.project = projectFlags{dir: ".", config: project.ConfigFile}
	if f.profile == "" {
		f.profile = string(smoke.Quick)
	}
	o, err := f.options(ctx, work)
	if err != nil {
		return smoke.Result{}, err
	}
	if err := f.asConfigured(&o, false, s.Profile == ""); err != nil {
		return smoke.Result{}, err
	}
	o.Progress = done
	return smoke.Run(ctx, o)
}
