package digest_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
)

func TestDigest(t *testing.T) {
	t.Parallel()
	// The first test vector of FIPS 180-4, SHA-256 ("abc").
	const abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	assert.Equal(t, abc, digest.Of([]byte("abc")))
	h := sha256.New()
	h.Write([]byte("abc"))
	assert.Equal(t, abc, digest.Sum(h))
	assert.Equal(t, strings.TrimPrefix(abc, "sha256:"), digest.Hex(abc))
	assert.Equal(t, "ba7816bf8f01", digest.Short(abc))
	assert.Equal(t, "ab", digest.Short("ab"))
}
