package spelling_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	keys := []string{"higher", "lower", "margin", "metrics", "id", "slo"}
	for _, c := range []struct{ word, want string }{
		{"hgher", "higher"},
		{"Higher", "higher"},
		{"lwoer", "lower"},
		{"metric", "metrics"},
		{"margins", "margin"},
		{"di", "id"},
		{"completely-else", ""},
		{"x", ""},
		{"", ""},
		{"ab", ""},
	} {
		got, ok := spelling.Nearest(c.word, keys)
		assert.Equal(t, c.want, got, c.word)
		assert.Equal(t, c.want != "", ok, c.word)
	}
	assert.Equal(t, `; did you mean "margin"?`, spelling.Hint("mragin", keys))
	assert.Empty(t, spelling.Hint("zzzz", keys))
}

func TestNearestTakesTheFirstOfEquals(t *testing.T) {
	t.Parallel()
	got, ok := spelling.Nearest("abcx", []string{"abca", "abcb"})
	assert.True(t, ok)
	assert.Equal(t, "abca", got)
}
