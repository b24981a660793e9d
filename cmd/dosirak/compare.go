package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/report/page"
	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
)

type compareOptions struct {
	pipeline.Files
	format string
	json   bool
}

func newCompareCommand() *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare --candidate FILE --baseline FILE --config FILE",
		Short: "Judge one model's predictions against another's",
		Long: `compare reads two files of predictions of the same rows, of any tool, and
judges the candidate by the metrics, margins, floors and slices of a config:
PASS (exit code 0), FAIL (1) or INCONCLUSIVE (3), with intervals. Rows are
paired by id. Of the config it reads task, metrics, slices, confidence, group
and weight. Without --baseline floors and ceilings decide.`,
		Example: "  dosirak compare --candidate new.csv --baseline old.csv --config dosirak.yaml --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.json {
				o.format = "json"
			}
			if !slices.Contains(compareFormats, o.format) {
				return fault.BadValue.Usage(fmt.Errorf("--format %q is not one of %s", o.format, strings.Join(compareFormats, ", ")))
			}
			compared, err := pipeline.CompareFiles(cmd.Context(), o.Files)
			if err != nil {
				return err
			}
			if err := printComparison(cmd.OutOrStdout(), o, compared); err != nil {
				return err
			}
			return exitWith(compared.Result.Verdict)
		},
	}
	cmd.Flags().StringVar(&o.Candidate, "candidate", "", "predictions of the candidate")
	cmd.Flags().StringVar(&o.Baseline, "baseline", "", "predictions of the model in production")
	cmd.Flags().StringVar(&o.Anchor, "anchor", "", "predictions of the last model promoted as improved")
	cmd.Flags().StringVar(&o.Config, "config", "dosirak.yaml", "config with task, metrics, slices and confidence")
	cmd.Flags().StringVar(&o.format, "format", "text", strings.Join(compareFormats, ", "))
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object, as --format json does")
	return cmd
}

var compareFormats = []string{"text", "markdown", "json", "html"}

// printComparison prints the documented object, or the report's renderings of
// the comparison.
func printComparison(w io.Writer, o compareOptions, c pipeline.Compared) error {
	if o.format == "json" {
		return printJSON(w, c.Result)
	}
	c.Release = releaseVersion()
	for path, digest := range map[string]*string{o.Candidate: &c.CandidateDigest, o.Baseline: &c.BaselineDigest, o.Anchor: &c.AnchorDigest} {
		if path == "" {
			continue
		}
		var err error
		if *digest, err = fileDigest(path); err != nil {
			return err
		}
	}
	r := c.Report()
	if err := r.Validate(); err != nil {
		return fmt.Errorf("rendering the comparison: %w", err)
	}
	switch o.format {
	case "markdown":
		_, err := io.WriteString(w, markdown.Summary(&r, markdown.Options{}))
		return err
	case "html":
		html, err := page.Render(&r)
		if err == nil {
			_, err = w.Write(html)
		}
		return err
	}
	_, err := io.WriteString(w, terminal.Render(&r, textOptions(w, os.Getenv)))
	return err
}

func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fault.Usage(fmt.Errorf("reading the predictions: %w", err))
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	return digest.Sum(h), nil
}
