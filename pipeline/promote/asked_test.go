package promote

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// A proposal that was made from one commit of the base branch is not put on
// top of another.
func TestAt(t *testing.T) {
	t.Parallel()
	p, err := Plan(decision(), formatJSON)
	require.NoError(t, err)
	f := &Fake{BaseCommit: "base"}
	_, err = Propose(t.Context(), At(f, "older"), p)
	require.ErrorIs(t, err, ErrBaseMoved)
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	assert.Empty(t, f.Moves)
	out, err := Propose(t.Context(), Asked(At(f, "base")), p)
	require.NoError(t, err)
	assert.Equal(t, Created, out.Operation)
}
