package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/cmd/dosirak/progress"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// projectFlags say which project a command works on.
type projectFlags struct{ dir, config string }

func (f *projectFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.dir, "directory", "C", ".", "the project's folder, or one below it")
	cmd.Flags().StringVar(&f.config, "config", project.ConfigFile, "the config, relative to the project's folder")
}

// typed is what can stand in a command without quotes.
var typed = regexp.MustCompile(`^[A-Za-z0-9._/-]+$`)

// quoted is text as a shell takes it for one word. What a terminal would not
// show is left to the reader to name.
func quoted(text string) string {
	if typed.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(printable(text), "'", `'\''`) + "'"
}

// command adds to a dosirak command the flags that name this project, so that
// it can be typed where the run was.
func (f *projectFlags) command(command string) string {
	if f.dir != "." {
		command += " -C " + quoted(f.dir)
	}
	takesConfig := strings.HasPrefix(command, "dosirak promote ") || strings.HasPrefix(command, "dosirak run") && !strings.HasPrefix(command, "dosirak runs")
	if takesConfig && f.config != project.ConfigFile {
		command += " --config " + quoted(f.config)
	}
	return command
}

// find returns the project's folder, which may be the one that is named or one
// above it.
func (f *projectFlags) find() (string, error) { return project.Find(f.dir, f.config) }

// asRun takes the config of a run for the project's, unless another is named.
func (f *projectFlags) asRun(cmd *cobra.Command, run string) error {
	if cmd.Flags().Changed("config") {
		return nil
	}
	dir, err := f.find()
	if err != nil {
		return err
	}
	recorded, err := pipeline.RecordedConfig(dir, run)
	if recorded != "" {
		f.config = recorded
	}
	return err
}

// load reads the project.
func (f *projectFlags) load(cmd *cobra.Command) (*project.Project, error) {
	dir, err := f.find()
	if err != nil {
		return nil, err
	}
	p, err := project.Open(cmd.Context(), dir, f.config)
	if err != nil {
		return nil, err
	}
	p.Bundles, err = newBundles(os.Getenv, os.Getenv("GITHUB_TOKEN"))
	return p, err
}

// open reads the project and what a run takes from this machine. The caller
// closes the printer, which shows how far the run is.
func (f *projectFlags) open(cmd *cobra.Command) (*project.Project, pipeline.Env, *progress.Printer, error) {
	p, err := f.load(cmd)
	if err != nil {
		return nil, pipeline.Env{}, nil, err
	}
	observer := openProgress(cmd.ErrOrStderr())
	env, err := newEnv(p, observer)
	if err != nil {
		observer.Close()
		return nil, pipeline.Env{}, nil, err
	}
	return p, env, observer, nil
}

func newRunCommand() *cobra.Command {
	var project projectFlags
	var where forgeFlag
	var asked pipeline.Request
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a change through all steps: train, prove, compare, package, test, report",
		Long: `run trains the change with its fixed seeds, proves that the same seed gives the
same model, seals the first seed's model into a bundle, lets it and the model in
production answer the same rows, compares them, builds the serving image, tests
that very image, and writes a report. It changes nothing in Git.

With --promote, a PASS is proposed: a branch with one commit that changes one
manifest. Merging it is the promotion; reverting it is the rollback.`,
		Example: `  dosirak run -C examples/flights
  dosirak run -C examples/flights --config variants/weather.yaml
  dosirak run -C examples/flights --promote`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asked.Resume != "" {
				if err := project.asRun(cmd, asked.Resume); err != nil {
					return err
				}
			}
			p, env, observer, err := project.open(cmd)
			if err != nil {
				return err
			}
			defer observer.Close()
			if asked.Promote = asked.Promote || asked.Plan; asked.Promote {
				host, err := where.open(p)
				if err != nil {
					return err
				}
				env.Forge = host.forge
			}
			out, err := pipeline.Run(cmd.Context(), p, env, asked)
			observer.Close()
			if out.Report.Schema != "" {
				if shown := showOutcome(cmd.OutOrStdout(), out, err, project, asJSON); err == nil {
					err = shown
				}
			}
			if err != nil {
				return err
			}
			if out.Verdict != verdict.Pass && !p.Config.Mode.Blocks(out.Verdict) {
				fmt.Fprintf(cmd.ErrOrStderr(), "dosirak: mode is advise, so %s does not block\n", out.Verdict)
				return nil
			}
			return exitWith(out.Verdict)
		},
	}
	project.add(cmd)
	where.add(cmd)
	cmd.Flags().StringVar(&asked.Environment, "environment", "", "the environment whose model is the baseline (default: the first of promote.environments)")
	cmd.Flags().BoolVar(&asked.Promote, "promote", false, "propose a PASS for promotion")
	cmd.Flags().BoolVar(&asked.Plan, "plan", false, "as --promote, but print the proposal and write nothing")
	cmd.Flags().BoolVar(&asked.Again, "again", false, "promote although the environment was rolled back from this very bundle")
	cmd.Flags().BoolVar(&asked.AcknowledgeExam, "acknowledge-exam", false, "promote although the exam differs from the one that production was promoted by")
	cmd.Flags().BoolVar(&asked.Fresh, "fresh", false, "train although nothing changed")
	cmd.Flags().StringVar(&asked.Trained, "trained", "", "judge the training in this `folder`, made by train --out or gather, instead of training here")
	cmd.Flags().StringVar(&asked.TrainedAt, "commit", "", "with --trained: the commit that was trained there (default: the project's)")
	cmd.Flags().StringVar(&asked.Resume, "resume", "", "go on with this run where it stopped")
	cmd.Flags().StringVar(&asked.Profile, "smoke", "", "profile of the smoke test: quick or full (default: the config's)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// newEnv is what a run takes from this machine.
func newEnv(p *project.Project, observer pipeline.Observer) (pipeline.Env, error) {
	cache, err := cacheFolder()
	if err != nil {
		return pipeline.Env{}, err
	}
	return pipeline.Env{
		Release: releaseVersion(), CacheDir: cache, Now: time.Now, Observer: observer, Server: newServer(cache, observer.Log), Forge: newForge(p),
	}, nil
}

// outcomeObject is the object of run --json. A run that judged and then failed,
// such as one whose promotion was refused, has both.
type outcomeObject struct {
	pipeline.Outcome
	Error *fault.Description `json:"error,omitempty"`
}

func showOutcome(w io.Writer, out pipeline.Outcome, failed error, project projectFlags, asJSON bool) error {
	if asJSON {
		object := outcomeObject{Outcome: out}
		if failed != nil {
			described := fault.Describe(failed)
			object.Error = &described
		}
		return printJSON(w, object)
	}
	o := textOptions(w, os.Getenv)
	o.Page = short(filepath.Join(out.Dir, evidence.Page))
	o.Proposed, o.Command = out.Promotion != nil, project.command
	text := terminal.Render(&out.Report, o)
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return showPromotion(w, out.Proposal, out.Promotion)
}

// short is a path as one would type it from here.
func short(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// showPromotion prints what became of a promotion, and of a plan the text of the
// pull request.
func showPromotion(w io.Writer, p *promote.Proposal, out *promote.Outcome) error {
	if out == nil {
		return nil
	}
	if out.Operation == promote.Withdrawn {
		_, err := fmt.Fprintf(w, "\nThe proposal on %s is withdrawn: %s.\n", out.Branch, out.Reason)
		return err
	}
	if p == nil || out.Operation == promote.Skipped {
		_, err := fmt.Fprintf(w, "\nNothing is proposed: %s.\n", out.Reason)
		return err
	}
	if out.Operation == promote.Stopped || out.Operation == promote.Declined {
		_, err := fmt.Fprintf(w, "\nThe promotion stopped: %s.\n", out.Reason)
		return err
	}
	if out.Operation == promote.Planned {
		_, err := fmt.Fprintf(w, "%s\n# %s\n\n%s", planned(p), p.Title, p.Body)
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n%s", p.Title, proposedAt(*out, "promote"))
	return err
}

// proposedAt says where a proposal is and how it is taken. Its text is a
// reviewer's: it is there, and --plan prints it.
func proposedAt(out promote.Outcome, verb string) string {
	text := fmt.Sprintf("  on branch %s (%s, commit %.12s)\n", out.Branch, out.Operation, out.Commit)
	if out.Address != "" {
		return text + fmt.Sprintf("  to %s: merge %s\n", verb, out.Address)
	}
	return text + fmt.Sprintf("  to %s: git merge %s\n", verb, out.Branch)
}

// openProgress shows how far the run is: a live table on a terminal, plain
// lines elsewhere.
func openProgress(w io.Writer) *progress.Printer {
	if file, ok := w.(*os.File); ok {
		return progress.Open(file, os.Getenv)
	}
	return progress.New(progress.Options{Out: w, Now: time.Now})
}
