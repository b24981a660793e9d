package main

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func TestSchemaCommand(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"config", "manifest", "report"} {
		cmd := newSchemaCommand()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetArgs([]string{name})
		require.NoError(t, cmd.Execute())
		assert.True(t, json.Valid(out.Bytes()), name)
		published, err := os.ReadFile("../../docs/schema/" + name + ".schema.json")
		require.NoError(t, err)
		assert.Equal(t, string(published), out.String())
	}
}

func TestSchemaCommandErrors(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"confg"}, {"config", "report"}} {
		cmd := newSchemaCommand()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(args)
		err := cmd.Execute()
		require.EqualError(t, err, "schema: name one of config, manifest, report")
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
}
