package provenance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func example() Facts {
	return Facts{
		Model: "flights-delay", Bundle: "sha256:" + strings.Repeat("a", 64), Release: "v0.1.0", Run: "r", Command: "c",
		Data:   []Digest{{"train", "sha256:" + strings.Repeat("b", 64)}},
		Inputs: []Digest{{"train/main.go", "sha256:" + strings.Repeat("d", 64)}},
		Source: Source{Commit: strings.Repeat("1", 40), Branch: "main", Dirty: true, Changed: []string{" M a", "?? b"}, More: 3},
		Params: map[string]any{"alpha": 0.1, "layers": []any{1.0, 2.0}},
	}
}

// What was written can be read, and says the same.
func TestParse(t *testing.T) {
	t.Parallel()
	facts := example()
	text := facts.Statement().Canonical()
	got, err := Parse(text)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(got.Canonical()))
	for _, s := range []Statement{facts.Statement(), got} {
		assert.Equal(t, facts.Source, s.Source())
		assert.Equal(t, facts.Params, s.Params())
		assert.Equal(t, facts.Data, s.Data())
		assert.Equal(t, facts.Inputs, s.Inputs())
	}
	none, err := Parse(Facts{Source: Source{Missing: "not inside a Git work tree"}}.Statement().Canonical())
	require.NoError(t, err)
	assert.Equal(t, Source{Missing: "not inside a Git work tree"}, none.Source())
	assert.Nil(t, none.Params())
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := string(example().Statement().Canonical())
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"", "EOF"},
		"no object":       {"[]", "cannot unmarshal array"},
		"broken":          {good[:len(good)/2], "reading the provenance: "},
		"text after":      {good + "{}", "text after its end"},
		"unknown field":   {strings.Replace(good, `"subject"`, `"x": 1, "subject"`, 1), "unknown field"},
		"other statement": {strings.Replace(good, StatementType, "https://x.example/\x7f", 1), `_type is "https://x.example/\x7f", this release knows`},
		"other predicate": {strings.Replace(good, PredicateType, "x", 1), "predicateType"},
		"other build":     {strings.Replace(good, BuildType, "x", 1), "buildType"},
		"digest":          {strings.Replace(good, strings.Repeat("d", 64), "../x", 1), "has a digest that is none"},
		"algorithm":       {strings.Replace(good, "gitCommit", "sha1", 1), "has a digest that is none"},
		"deep":            {strings.Replace(good, `"alpha": 0.1`, `"alpha": `+strings.Repeat("[", 5000)+strings.Repeat("]", 5000), 1), "nested deeper than 32"},
		"large":           {good + strings.Repeat(" ", MaxStatement), "at most"},
		"wrong kind":      {strings.Replace(good, `"seeds": []`, `"seeds": "x"`, 1), "cannot unmarshal string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(c.text))
			require.Error(t, err)
			assert.ErrorContains(t, err, c.want)
			for _, r := range err.Error() {
				assert.True(t, r >= 0x20 && r < 0x7f, "%q", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example().Statement().Canonical())
	f.Add([]byte(`{"_type":null,"subject":[{"annotations":{"more":1e300}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		s.Source()
		again, err := Parse(s.Canonical())
		require.NoError(t, err)
		assert.Equal(t, string(s.Canonical()), string(again.Canonical()))
	})
}
