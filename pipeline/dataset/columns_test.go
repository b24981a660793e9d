package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestColumnDigests(t *testing.T) {
	t.Parallel()
	of := func(text string) map[string]string {
		name := filepath.Join(t.TempDir(), "t.csv")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		table, err := Read(t.Context(), name, Options{})
		require.NoError(t, err)
		return table.ColumnDigests()
	}
	was := of("id,a,b\n1,x,2.5\n2,y,\n")
	assert.Len(t, was, 3)
	assert.Equal(t, was, of("b,id,a\n\"2.5\",1,x\n,2,y\n"), "order of columns and quotes are no values")
	more := of("id,a,b,c\n1,x,2.5,9\n2,y,,9\n")
	for name, digest := range was {
		assert.Equal(t, digest, more[name], name)
	}
	for name, text := range map[string]string{
		"another value": "id,a,b\n1,x,2.5\n2,z,\n", "rows swapped": "id,a,b\n2,y,\n1,x,2.5\n", "a row more": "id,a,b\n1,x,2.5\n2,y,\n3,z,1\n",
		"a border moved": "id,a,b\n1,xy,2.5\n2,,\n",
	} {
		assert.NotEqual(t, was["a"], of(text)["a"], name)
	}
	assert.NotEqual(t, was["b"], of("id,a,b\n1,x,2.50\n2,y,\n")["b"])
}
