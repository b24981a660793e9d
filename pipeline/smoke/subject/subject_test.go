package subject_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/smoke/subject"
)

// unbuilt fails the test where something is built.
func unbuilt(t *testing.T) func() (subject.Builder, error) {
	return func() (subject.Builder, error) {
		t.Error("a builder was asked for")
		return subject.Builder{}, nil
	}
}

func TestARunningServerNeedsNothingBuilt(t *testing.T) {
	t.Parallel()
	o, err := subject.Prepare(t.Context(), subject.Subject{URL: "http://127.0.0.1:8080", Name: "churn"}, unbuilt(t), t.TempDir())
	require.NoError(t, err)
	assert.Equal(t, serving.Address{URL: "http://127.0.0.1:8080"}, o.Target)
	assert.Equal(t, "churn", o.Model)
	assert.False(t, o.RequireDigest, "another server need not know this project's digests")
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for name, tt := range map[string]struct {
		subject subject.Subject
		want    string
	}{
		"nothing":                 {subject.Subject{Name: "churn"}, "say what to test"},
		"an archive and a bundle": {subject.Subject{Archive: "a.tar", Bundle: "b"}, "say what to test"},
		"an archive and a URL":    {subject.Subject{Archive: "a.tar", URL: "http://127.0.0.1"}, "say what to test"},
		"no such bundle":          {subject.Subject{Bundle: missing}, missing},
		"no such archive":         {subject.Subject{Archive: missing}, missing},
		"no scheme":               {subject.Subject{URL: "127.0.0.1:8080", Name: "churn"}, "give an address such as"},
		"another scheme":          {subject.Subject{URL: "ftp://127.0.0.1", Name: "churn"}, "give an address such as"},
		"a password":              {subject.Subject{URL: "http://u:p@127.0.0.1", Name: "churn"}, "give an address such as"},
		"a URL without a name":    {subject.Subject{URL: "http://127.0.0.1"}, "needs --name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := subject.Prepare(t.Context(), tt.subject, unbuilt(t), t.TempDir())
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, 2, fault.ExitCode(err))
		})
	}
}
