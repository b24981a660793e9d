package project_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/project"
)

func TestFind(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{
		"stray/dosirak.yaml", "stray/deep/x", // no repository around it
		"repo/.git/HEAD", "repo/one/dosirak.yaml", "repo/one/train/deep/x", "repo/one/variants/b.yaml", "repo/other/x",
		"repo/one/inner/.git", "repo/one/inner/x", // a submodule is a repository of its own
	} {
		path := filepath.Join(top, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
	}
	for _, tt := range []struct{ from, dir, config, want string }{
		{"repo/one", ".", "", "."},
		{"repo/one/train/deep", ".", "", "../.."},
		{"repo/one/train", "deep", "", ".."},
		{"repo/one", "nowhere", "", "nowhere"},
		{"repo", "one/train", "", "one"},
		{"repo/other", ".", "", "."},
		{"repo", ".", "", "."},
		{"repo/one/train", ".", "variants/b.yaml", ".."},
		{"repo/one/train", ".", "variants/none.yaml", "."},
		{"repo/one/inner", ".", "", "."},
		{"stray/deep", ".", "", "."},
		{"stray", ".", "", "."},
		{"repo", filepath.Join(top, "repo/one/train"), "", filepath.Join(top, "repo/one")},
		{"repo", "nowhere", "", "nowhere"},
	} {
		t.Run(tt.from+" "+tt.dir+" "+tt.config, func(t *testing.T) {
			t.Chdir(filepath.Join(top, tt.from))
			got, err := project.Find(tt.dir, tt.config)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}
