package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/smoke/subject"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// smokeFlags say what to test.
type smokeFlags struct {
	project                    projectFlags
	bundle, archive, url, name string
	profile                    string
	asJSON                     bool
}

func newSmokeCommand() *cobra.Command {
	var f smokeFlags
	cmd := &cobra.Command{
		Use:   "smoke BUNDLE | --archive FILE | --url URL [BUNDLE]",
		Short: "Test a server as its callers would use it",
		Long: `smoke starts the serving image and uses it: is it ready, does it serve this
bundle, does it give the golden answers, does it refuse bad inputs and go on,
how fast is it, does it end as it should.

With a bundle, its image is built and run in Docker, on a network of its own
without a route outside; where no Docker daemon answers, the server runs as a
process, and it is said so. With --archive, that image is run, and the bundle in
it is what is expected. With --url, a server that runs already is asked; it is
not ended, and not put under load unless it is on this machine.

In a project the service level and the profile of its config count, as in a run.
Elsewhere nothing is said of how fast a server has to be.`,
		Example: `  dosirak smoke deploy/bundles/flights-delay
  dosirak smoke --archive .dosirak/image/image.tar --profile full
  dosirak smoke --url https://models.example.org deploy/bundles/flights-delay`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				f.bundle = args[0]
			}
			// A reader that goes away (| head) must not end us before what was
			// started is removed: writing fails instead.
			signal.Ignore(syscall.SIGPIPE)
			work, err := os.MkdirTemp("", "dosirak-smoke-*")
			if err != nil {
				return fault.Environment(fmt.Errorf("smoke test: %w", err))
			}
			defer os.RemoveAll(work)
			o, err := f.options(cmd.Context(), work)
			if err != nil {
				return err
			}
			named := cmd.Flags().Changed("config") || cmd.Flags().Changed("directory")
			if err := f.asConfigured(&o, named, !cmd.Flags().Changed("profile")); err != nil {
				return err
			}
			if !f.asJSON {
				o.Progress = func(r smoke.Row) { showCheck(cmd.OutOrStdout(), r) }
			}
			result, err := smoke.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			if f.asJSON {
				err = printJSON(cmd.OutOrStdout(), result)
			} else {
				err = showSmoke(cmd.OutOrStdout(), result)
			}
			if err != nil {
				return err
			}
			return exitWith(result.Verdict)
		},
	}
	f.project.add(cmd)
	cmd.Flags().StringVar(&f.archive, "archive", "", "an image that `dosirak image` wrote")
	cmd.Flags().StringVar(&f.url, "url", "", "a server that runs already")
	cmd.Flags().StringVar(&f.name, "name", "", "name that the model is served under (default: the bundle's)")
	cmd.Flags().StringVar(&f.profile, "profile", string(smoke.Quick), "quick (at most 5 s) or full (at most 30 s; default: the config's)")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON object")
	return cmd
}

// asConfigured takes service level and profile from the config of the project,
// where there is one and the model is its; a project that is named has to be
// there.
func (f *smokeFlags) asConfigured(o *smoke.Options, named, profile bool) error {
	dir, err := f.project.find()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, f.project.config)
	if _, err := os.Stat(path); err != nil && !named {
		return nil
	}
	c, err := config.Load(path, project.Catalogue)
	if err != nil {
		return err
	}
	if o.Bundle != nil && o.Bundle.Bundle.Model.Name != c.Model {
		if named {
			return fault.BadCommand.Usage(fmt.Errorf("%s is of the model %q, the bundle of %q", path, c.Model, o.Bundle.Bundle.Model.Name))
		}
		return nil
	}
	o.SLO = c.Exam("").SLO
	if auto, ok := o.Target.(serving.Auto); ok {
		auto.Container.Memory = o.SLO.MemoryBytes
		o.Target = auto
	}
	if profile {
		o.Profile, err = smoke.ParseProfile(c.Smoke.Profile)
	}
	return err
}

// options finds out what is tested and prepares it in the folder work.
func (f smokeFlags) options(ctx context.Context, work string) (smoke.Options, error) {
	profile, err := smoke.ParseProfile(f.profile)
	if err != nil {
		return smoke.Options{}, err
	}
	builder := func() (subject.Builder, error) {
		cache, err := cacheFolder()
		return subject.Builder{Server: newServer(cache, sayTo(os.Stderr)), Release: releaseVersion(), CacheDir: cache}, err
	}
	o, err := subject.Prepare(ctx, subject.Subject{Bundle: f.bundle, Archive: f.archive, URL: f.url, Name: f.name}, builder, work)
	o.Profile = profile
	return o, err
}

func showCheck(w io.Writer, r smoke.Row) {
	v := string(r.Verdict)
	if v == "" {
		v = "not run"
	}
	fmt.Fprintf(w, "%-12s  %-14s  %s\n", v, r.Name, r.Detail)
}

func showSmoke(w io.Writer, r smoke.Result) error {
	if r.Verdict != verdict.Pass && r.Logs != "" {
		fmt.Fprintf(w, "\nThe end of what the server wrote:\n")
		for line := range strings.SplitSeq(r.Logs, "\n") {
			fmt.Fprintf(w, "  %s\n", printable(line))
		}
	}
	_, err := fmt.Fprintf(w, "\n%s  %s (%s), profile %s, %.1f s\n", r.Verdict, r.Target, r.Why, r.Profile, r.TotalMS/1000)
	return err
}
