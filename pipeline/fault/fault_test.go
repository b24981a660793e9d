package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	plain := errors.New("plain")
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"none", nil, 0},
		{"unmarked", plain, 2},
		{"usage", fault.Usage(plain), 2},
		{"failed", fault.Failed(plain), 1},
		{"environment", fault.Environment(plain), 4},
		{"wrapped with context", fmt.Errorf("training: %w", fault.Failed(plain)), 1},
		{"the outermost mark counts", fault.Environment(fmt.Errorf("x: %w", fault.Usage(plain))), 4},
		{"interrupted, however it was marked", fault.Environment(fmt.Errorf("x: %w", context.Canceled)), 130},
		{"marking nothing is nothing", fault.Usage(nil), 0},
	} {
		assert.Equal(t, tt.want, fault.ExitCode(tt.err), tt.name)
	}
	assert.ErrorIs(t, fault.Usage(plain), plain)
}
