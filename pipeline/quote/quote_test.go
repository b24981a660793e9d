package quote

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\n\tb \x1b[31m\u202e":   `"a b [31m"`,
		strings.Repeat("\x00", 9): `""`,
		"\xff":                    `"?"`,
		strings.Repeat("é", 161):  `"` + strings.Repeat("é", 160) + `..."`,
	} {
		assert.Equal(t, want, Text(text))
	}
	assert.Equal(t, "sí", Clip("sí", 2))
}
