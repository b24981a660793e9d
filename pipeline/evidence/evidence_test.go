package evidence

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPack(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("id,prediction\n"), 100)
	packed, err := Pack(content)
	require.NoError(t, err)
	again, err := Pack(content)
	require.NoError(t, err)
	assert.Equal(t, packed, again, "the same content gives the same bytes")
	assert.Less(t, len(packed), len(content))
	unpacked, err := Unpack(packed)
	require.NoError(t, err)
	assert.Equal(t, content, unpacked)

	_, err = Unpack(packed[:len(packed)-9])
	assert.Error(t, err, "cut short")
	_, err = Unpack(content)
	assert.Error(t, err, "not packed")
	_, err = unpack(packed, int64(len(content))-1)
	assert.ErrorContains(t, err, "larger than 1399 bytes")
	_, err = unpack(packed, int64(len(content)))
	assert.NoError(t, err)
}
