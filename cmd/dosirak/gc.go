package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// newGCCommand frees the space of old runs.
func newGCCommand() *cobra.Command {
	var flags storeFlags
	var o store.GCOptions
	var keep []string
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove old runs and what only they needed",
		Long: `gc removes all but the newest runs from .dosirak, and the stored replicates,
environments and blobs that no remaining run needs. Manifests, bundles and
evidence in Git are not touched. While a run is going on it removes nothing and
ends with 4.`,
		Example: `  dosirak gc --plan
  dosirak gc --keep 5 --keep-run 3f9a1c`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := flags.open()
			if err != nil {
				return err
			}
			for _, name := range keep {
				id, err := s.Find(name)
				if err != nil {
					return err
				}
				if !slices.Contains(o.Runs, id) {
					o.Runs = append(o.Runs, id)
				}
			}
			result, err := s.GC(cmd.Context(), o)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if flags.json {
				return printJSON(out, result)
			}
			did := "removed"
			if result.Plan {
				did = "would remove"
			}
			_, err = fmt.Fprintf(out, "%s %d runs, %d stored replicates and proofs, %d environments, %d blobs: %s\n",
				did, len(result.Runs), result.Cache, result.Envs, result.Blobs, size(result.Bytes))
			return err
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&o.Keep, "keep", 10, "keep this many of the newest runs")
	cmd.Flags().StringArrayVar(&keep, "keep-run", nil, "keep this run too (may be given more than once)")
	cmd.Flags().BoolVar(&o.Plan, "plan", false, "say what would go and remove nothing")
	return cmd
}

// size is a number of bytes for people.
func size(bytes int64) string {
	const unit = 1000
	if bytes < unit {
		return fmt.Sprintf("%d B", bytes)
	}
	value, prefix := float64(bytes), 0
	for value >= unit && prefix < 4 {
		value /= unit
		prefix++
	}
	return fmt.Sprintf("%.1f %cB", value, " kMGT"[prefix])
}
