package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/report/page"
	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
)

// reportFormats are the renderings of a report, in the order of the help.
var reportFormats = []string{"text", "markdown", "summary", "json", "html"}

// newReportCommand renders a report anew. folder returns the folder of the run
// with the given id, which may be shortened as the store allows.
func newReportCommand(folder func(cmd *cobra.Command, run string) (string, error)) *cobra.Command {
	var format, out, link string
	var asJSON, open bool
	cmd := &cobra.Command{
		Use:   "report RUN|report.json",
		Short: "Render the report of a run: text, Markdown, JSON or a page",
		Long: `report renders the report of a run, named by its id or the end of it, by
"latest", by its folder, or by the path of its report.json. The file is read as
data that anyone may have written: what is not a well-formed report is refused.

Formats:
  text      a summary for the terminal
  markdown  a comment for a pull request
  summary   a job's step summary: the same, with metrics and slices unfolded
  json      the report itself
  html      one self-contained page`,
		Example: `  dosirak report latest
  dosirak report .dosirak/runs/20260801-1200-3f9a1c/report.json --format html --out report.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON {
				if cmd.Flags().Changed("format") && format != "json" {
					return fault.BadCommand.Usage(fmt.Errorf("--json and --format %s contradict each other; give one of them", format))
				}
				format = "json"
			}
			path, err := reportPath(cmd, args[0], folder)
			if err != nil {
				return err
			}
			r, err := readReport(path)
			if err != nil {
				return err
			}
			stdout := cmd.OutOrStdout()
			if open {
				return openPage(cmd, r, filepath.Join(filepath.Dir(path), evidence.Page))
			}
			options := textOptions(stdout, os.Getenv)
			if p := filepath.Join(filepath.Dir(path), evidence.Page); isFile(p) {
				options.Page = p
			}
			of := projectFlags{dir: flagOr(cmd, "directory", "."), config: cmp.Or(string(r.Run.Config), project.ConfigFile)}
			options.Command = of.command
			if out != "" && out != "-" {
				options.Color, options.Width = false, 0
			}
			text, err := renderReport(r, format, link, options)
			if err != nil {
				return err
			}
			if out == "" || out == "-" {
				_, err = stdout.Write(text)
				return err
			}
			return writeWhole(out, text)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", strings.Join(reportFormats, ", "))
	cmd.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	cmd.Flags().StringVar(&link, "link", "", "https address of the page or the run, for markdown and summary")
	cmd.Flags().BoolVar(&open, "open", false, "open the page in the browser")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	return cmd
}

// openPage opens the page of a run; one that has none yet, as a report that was
// downloaded, is given one in a temporary folder.
func openPage(cmd *cobra.Command, r *report.Report, path string) error {
	if !isFile(path) {
		text, err := page.Render(r)
		if err != nil {
			return err
		}
		dir, err := os.MkdirTemp("", "dosirak-page-") // the browser reads it when we are gone
		if err != nil {
			return fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
		}
		path = filepath.Join(dir, evidence.Page)
		if err := writeWhole(path, text); err != nil {
			return err
		}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fault.Usage(fmt.Errorf("opening the page: %w", err))
	}
	program := browser(os.Getenv, runtime.GOOS)
	started := exec.CommandContext(cmd.Context(), program, abs)
	if err := started.Run(); err != nil {
		return fault.NoBrowser.Environment(fmt.Errorf("opening the page with %s: %w: open %s by hand, or name a browser in BROWSER", program, err, abs))
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), abs)
	return err
}

// browser is the program that shows a page: the one that BROWSER names, else
// that of the system.
func browser(getenv func(string) string, system string) string {
	if own := getenv("BROWSER"); own != "" {
		first, _, _ := strings.Cut(own, ":")
		return first
	}
	if system == "darwin" {
		return "open"
	}
	return "xdg-open"
}

// renderReport returns r in the given format.
func renderReport(r *report.Report, format, link string, o terminal.Options) ([]byte, error) {
	switch format {
	case "text":
		return []byte(terminal.Render(r, o)), nil
	case "markdown":
		return []byte(markdown.Comment(r, markdown.Options{Page: link})), nil
	case "summary":
		return []byte(markdown.Summary(r, markdown.Options{Page: link})), nil
	case "json":
		return report.Encode(r)
	case "html":
		return page.Render(r)
	}
	return nil, fault.BadValue.Usage(fmt.Errorf("--format %q is none of %s", format, strings.Join(reportFormats, ", ")))
}

// reportPath finds the report that arg names: a file, a run's folder, or a
// run's id.
func reportPath(cmd *cobra.Command, arg string, folder func(*cobra.Command, string) (string, error)) (string, error) {
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return filepath.Join(arg, evidence.Report), nil
	case err == nil:
		return arg, nil
	case filepath.Base(arg) != arg || filepath.Ext(arg) == ".json":
		return "", fault.NoReport.Usage(fmt.Errorf("reading the report: %w", err))
	}
	dir, err := folder(cmd, arg)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, evidence.Report), nil
}

// readReport reads at most what a report may be, so that a file of any size
// costs no more.
func readReport(path string) (*report.Report, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NoReport.Usage(fmt.Errorf("there is no report at %s: the run did not come that far, or its folder was removed", path))
	}
	if err != nil {
		return nil, fault.NoReport.Usage(fmt.Errorf("reading the report: %w", err))
	}
	if !info.Mode().IsRegular() {
		return nil, fault.NoReport.Usage(fmt.Errorf("reading the report: %s is not a regular file", path))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fault.NoReport.Usage(fmt.Errorf("reading the report: %w", err))
	}
	defer file.Close()
	limits := report.DefaultLimits()
	data, err := io.ReadAll(io.LimitReader(file, int64(limits.Bytes)+1))
	if err != nil {
		return nil, fault.NoReport.Environment(fmt.Errorf("reading the report: %w", err))
	}
	r, err := report.Parse(data, limits)
	if err != nil {
		return nil, fault.NoReport.Usage(fmt.Errorf("%s: %w", path, err))
	}
	return r, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// writeWhole writes the file whole or not at all.
func writeWhole(path string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fault.NotWritable.Usage(fmt.Errorf("writing %s: %w", path, err))
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fault.Environment(fmt.Errorf("writing %s: %w", path, err))
	}
	return nil
}
