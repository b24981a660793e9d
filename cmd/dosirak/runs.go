package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// newRunsCommand shows what runs left in the project's store.
func newRunsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List, show and compare past runs",
		Long: `runs shows what is kept in .dosirak: one line for each run, one run with its
steps, or what differs between two. A run is named by its id, the beginning or
the end of it, or "latest".`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRunsListCommand(), newRunsShowCommand(), newRunsDiffCommand())
	return cmd
}

// storeFlags are the flags of a command that reads the store.
type storeFlags struct {
	dir  string
	json bool
}

func (f *storeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.dir, "directory", "C", ".", "the project's folder, or one below it")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
}

func (f *storeFlags) open() (*store.Store, error) {
	dir, err := project.Find(f.dir, "")
	if err != nil {
		return nil, err
	}
	return store.Open(dir, store.Options{Now: time.Now})
}

// ofProject gives a command that takes a run the flag -C, which runFolder reads.
func ofProject(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringP("directory", "C", ".", "the project's folder, or one below it")
	return cmd
}

// runFolder returns the folder of a run of the project that -C names.
func runFolder(cmd *cobra.Command, run string) (string, error) {
	dir, err := cmd.Flags().GetString("directory")
	if err != nil {
		return "", err
	}
	s, err := (&storeFlags{dir: dir}).open()
	if err != nil {
		return "", err
	}
	id, err := s.Find(run)
	if err != nil {
		return "", err
	}
	stored, err := s.Load(id)
	if err != nil {
		return "", err
	}
	return stored.Dir, nil
}

// runView is a run as --json prints it.
type runView struct {
	store.Record
	Dir     string             `json:"dir"`
	Summary store.Summary      `json:"summary"`
	Steps   []store.StepRecord `json:"steps,omitempty"`
}

func newRunsListCommand() *cobra.Command {
	var flags storeFlags
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List past runs, the newest first",
		Example: `  dosirak runs list
  dosirak runs list --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return fault.BadValue.Usage(fmt.Errorf("--limit %d: give a number of runs, or 0 for all", limit))
			}
			s, err := flags.open()
			if err != nil {
				return err
			}
			runs, err := s.List()
			if err != nil {
				return err
			}
			total := len(runs)
			if limit > 0 && len(runs) > limit {
				runs = runs[:limit]
			}
			views := []runView{}
			for _, run := range runs {
				views = append(views, runView{Record: run.Record, Dir: run.Dir, Summary: run.Summary()})
			}
			out := cmd.OutOrStdout()
			if flags.json {
				return printJSON(out, struct {
					Total int       `json:"total"`
					Runs  []runView `json:"runs"`
				}{total, views})
			}
			return printRuns(out, views, total)
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "at most this many runs; 0: all")
	return cmd
}

func printRuns(out io.Writer, views []runView, total int) error {
	if total == 0 {
		_, err := fmt.Fprintln(out, "no runs yet: `dosirak run` makes one")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tSTARTED (UTC)\tCOMMAND\tSTATUS\tVERDICT\tMODEL\tPRIMARY METRIC")
	for _, view := range views {
		metric := "-"
		if primary, ok := view.Summary.Primary(); ok {
			metric = oneLine(primary.Name) + " " + figure(primary.Candidate)
			if primary.Baseline != nil {
				metric += " (production " + figure(primary.Baseline) + ")"
			}
		}
		started := "-"
		if !view.Started.IsZero() {
			started = view.Started.UTC().Format("2006-01-02 15:04:05")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", oneLine(view.ID), started, orDash(view.Command), orDash(string(view.Status)),
			orDash(view.Summary.Verdict), orDash(view.Summary.Model), metric)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if total > len(views) {
		_, err := fmt.Fprintf(out, "%d older runs are not shown: --limit 0 shows all\n", total-len(views))
		return err
	}
	return nil
}

func newRunsShowCommand() *cobra.Command {
	var flags storeFlags
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "Show one run and its steps",
		Example: `  dosirak runs show latest
  dosirak runs show 3f9a1c --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := flags.open()
			if err != nil {
				return err
			}
			id, err := s.Find(args[0])
			if err != nil {
				return err
			}
			run, err := s.Load(id)
			if err != nil {
				return err
			}
			view := runView{Record: run.Record, Dir: run.Dir, Summary: run.Summary(), Steps: run.Steps}
			if flags.json {
				return printJSON(cmd.OutOrStdout(), view)
			}
			return printRun(cmd.OutOrStdout(), view)
		},
	}
	flags.add(cmd)
	return cmd
}

func printRun(out io.Writer, view runView) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("run", view.ID)
	row("folder", view.Dir)
	row("command", oneLine(view.Command))
	status := string(view.Status)
	if view.ExitCode != nil {
		status += ", exit code " + strconv.Itoa(*view.ExitCode)
	}
	row("status", status)
	row("error", oneLine(view.Error))
	row("started", view.Started.UTC().Format(time.RFC3339))
	if view.Ended != nil {
		row("took", view.Ended.Sub(view.Started).Round(time.Millisecond).String())
	}
	row("model", oneLine(view.Summary.Model))
	row("bundle", oneLine(view.Summary.Bundle))
	row("verdict", oneLine(view.Summary.Verdict))
	if len(view.Summary.Metrics) > 0 {
		fmt.Fprintln(table, "\nMETRIC\tCANDIDATE\tPRODUCTION\tVERDICT")
	}
	for _, metric := range view.Summary.Metrics {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", oneLine(metric.Name), figure(metric.Candidate), figure(metric.Baseline), orDash(metric.Verdict))
	}
	if len(view.Steps) > 0 {
		fmt.Fprintln(table, "\nSTEP\tSTATUS\tTOOK\tFILES")
	}
	for _, step := range view.Steps {
		took := "-"
		if step.Ended != nil {
			took = step.Ended.Sub(step.Started).Round(time.Millisecond).String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", oneLine(step.Name), step.Status, took, len(step.Files))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if view.Status == store.Interrupted || view.Status == store.Failed {
		_, err := fmt.Fprintf(out, "\n`dosirak run --resume %s` goes on where it stopped\n", view.ID)
		return err
	}
	return nil
}

func newRunsDiffCommand() *cobra.Command {
	var flags storeFlags
	cmd := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "Show what differs between two runs",
		Long: `diff compares two runs: labels, steps, files by digest, and the reports value by
value. Times and ids are left out. Two equal runs print nothing to compare and
end with 0, as two different ones do.`,
		Example: `  dosirak runs diff 3f9a1c latest`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := flags.open()
			if err != nil {
				return err
			}
			var ids [2]string
			for i, arg := range args {
				if ids[i], err = s.Find(arg); err != nil {
					return err
				}
			}
			differences, err := s.Diff(ids[0], ids[1])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if flags.json {
				return printJSON(out, struct {
					A           string             `json:"a"`
					B           string             `json:"b"`
					Differences []store.Difference `json:"differences"`
				}{ids[0], ids[1], differences})
			}
			if len(differences) == 0 {
				_, err := fmt.Fprintf(out, "%s and %s are the same\n", ids[0], ids[1])
				return err
			}
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintf(table, "WHAT\t%s\t%s\n", ids[0], ids[1])
			for _, d := range differences {
				fmt.Fprintf(table, "%s\t%s\t%s\n", oneLine(d.Path), orDash(d.A), orDash(d.B))
			}
			return table.Flush()
		},
	}
	flags.add(cmd)
	return cmd
}

// figure is a number with the digits that a list has room for.
func figure(value *float64) string {
	if value == nil {
		return "-"
	}
	return strconv.FormatFloat(*value, 'g', 5, 64)
}

func orDash(text string) string {
	if text = oneLine(text); text == "" {
		return "-"
	}
	return text
}

// oneLine keeps text from a file from moving the cursor or breaking the table:
// one line, no control or bidi characters, at most 80 runes.
func oneLine(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(text, "�") {
		if n == 80 {
			b.WriteString("…")
			break
		}
		if r == '\n' || r == '\t' {
			r = ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			continue
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}
