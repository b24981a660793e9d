package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// newManCommand writes manual pages, for those who make packages of a release.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write a manual page for each command, for packages",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fault.NotWritable.Usage(fmt.Errorf("writing the manual pages: %w", err))
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // it holds the day: the same release has the same pages
			header := &doc.GenManHeader{Section: "1", Source: "dosirak " + releaseVersion(), Manual: "dosirak", Date: &time.Time{}}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fault.Environment(fmt.Errorf("writing the manual pages: %w", err))
			}
			return nil
		},
	}
}
