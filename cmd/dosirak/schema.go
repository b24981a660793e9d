package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// schemas are the formats with a published JSON Schema.
var schemas = map[string]func() []byte{
	"config":   config.Schema,
	"manifest": config.ManifestSchema,
	"report":   report.Schema,
}

func newSchemaCommand() *cobra.Command {
	names := slices.Sorted(maps.Keys(schemas))
	return &cobra.Command{
		Use:   "schema " + strings.Join(names, "|"),
		Short: "Print the JSON Schema of a file format",
		Long: `Print the JSON Schema (draft 2020-12) of dosirak.yaml, of the manifests or of
report.json. An editor that is given it completes and checks keys:

  dosirak schema config > dosirak.schema.json
  # yaml-language-server: $schema=dosirak.schema.json   (first line of dosirak.yaml)`,
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || schemas[args[0]] == nil {
				return fault.BadCommand.Usage(fmt.Errorf("schema: name one of %s", strings.Join(names, ", ")))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := cmd.OutOrStdout().Write(schemas[args[0]]())
			return err
		},
	}
}
