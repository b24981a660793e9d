package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/doctor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func newDoctorCommand() *cobra.Command {
	var project projectFlags
	var o doctor.Options
	var asJSON, local bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what will block which step, before any computing is paid for",
		Long: `doctor looks at the project, at this machine, and, where GITHUB_REPOSITORY and
GITHUB_TOKEN are set, at the repository on GitHub: permissions, rules, required
statuses that nobody will report, labels, secrets, runners. For everything that
is not as it should be it names the step that it blocks and the way out. It
changes nothing; whether a token may write is found by calls that GitHub has to
refuse for their content.

Exit code 0: nothing blocks; 2: something does. With --for, what blocks other
steps is shown and does not count.`,
		Example: `  dosirak doctor
  dosirak doctor --for promote,reconcile --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if !local {
				if o.GitHub, err = newDoctorGitHub(os.Getenv); err != nil {
					return err
				}
			}
			cache, err := cacheFolder()
			if err != nil {
				return err
			}
			o.Machine = doctor.ThisMachine(newServer(cache, sayTo(cmd.ErrOrStderr())))
			if o.WorkDir, err = os.MkdirTemp("", "dosirak-doctor-"); err != nil {
				return fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
			}
			defer os.RemoveAll(o.WorkDir)
			dir, err := project.find()
			if err != nil {
				return err
			}
			r, err := doctor.Diagnose(cmd.Context(), dir, project.config, o)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), r)
			} else {
				err = showDiagnosis(cmd.OutOrStdout(), r)
			}
			if err == nil && r.Blocked {
				err = exit(fault.CodeUsage)
			}
			return err
		},
	}
	project.add(cmd)
	cmd.Flags().BoolVar(&local, "local", false, "do not ask GitHub")
	cmd.Flags().StringSliceVar(&o.Labels, "label", nil, "a label that promotions get")
	cmd.Flags().StringSliceVar(&o.Steps, "for", nil, "the steps that are asked about, such as promote,comment (default: all)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// showDiagnosis prints what blocks last, where it is read first.
func showDiagnosis(w io.Writer, r doctor.Report) error {
	var b strings.Builder
	blocking := 0
	for _, level := range []doctor.Level{doctor.OK, doctor.Warn, doctor.Fail} {
		for _, f := range r.Findings {
			if f.Level != level {
				continue
			}
			if f.Blocking(r.Steps...) {
				blocking++
			}
			mark := map[doctor.Level]string{doctor.OK: "✓", doctor.Warn: "!", doctor.Fail: "✗"}[level]
			fmt.Fprintf(&b, "%s %s: %s\n", mark, f.Check, f.What)
			if len(f.Blocks) > 0 {
				verb := "may block"
				if level == doctor.Fail {
					verb = "blocks"
				}
				fmt.Fprintf(&b, "    %s %s\n", verb, strings.Join(f.Blocks, ", "))
			}
			if f.WayOut != "" {
				fmt.Fprintf(&b, "    → %s\n", f.WayOut)
			}
		}
	}
	if r.Blocked {
		fmt.Fprintf(&b, "\nWhat blocks: %d.\n", blocking)
	} else {
		b.WriteString("\nNothing blocks.\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return errors.Join(errors.New("printing the findings"), err)
	}
	return nil
}
