package pipeline

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSeedOfReplicate(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int64{"seed-2.onnx": 2, "seed--7.onnx": -7, "seed-12.json": 12, "seed-3": 3} {
		seed, err := seedOfReplicate(name)
		assert.NoError(t, err, name)
		assert.Equal(t, want, seed, name)
	}
	for _, name := range []string{"", "2.onnx", "seed-.onnx", "seed-2b.onnx", "README.md", "seed-99999999999999999999.onnx"} {
		_, err := seedOfReplicate(name)
		assert.Error(t, err, name)
	}
}
