package image

import (
	"debug/buildinfo"
	"encoding/json"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSBOM(t *testing.T) {
	t.Parallel()
	info := &buildinfo.BuildInfo{
		GoVersion: "go1.26.8", Path: "github.com/dosirak-ml/dosirak/model-server",
		Main: debug.Module{Path: "github.com/dosirak-ml/dosirak", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "github.com/Acme/z", Version: "v1.0.0+incompatible", Sum: "h1:abc="},
			{Path: "github.com/old/a", Version: "v1.0.0", Replace: &debug.Module{Path: "github.com/new/a", Version: "v1.0.1"}},
		},
	}
	doc := spdxOf(info, "feed", "v0.1.0")
	var locators []string
	ids := map[string]bool{}
	for _, p := range doc.Packages {
		locators = append(locators, p.References[0].Locator)
		assert.False(t, ids[p.ID], "%s is there twice", p.ID)
		ids[p.ID] = true
	}
	assert.Equal(t, []string{
		"pkg:golang/github.com/dosirak-ml/dosirak@v0.1.0",
		"pkg:golang/github.com/acme/z@v1.0.0%2Bincompatible",
		"pkg:golang/github.com/new/a@v1.0.1",
		"pkg:golang/stdlib@1.26.8",
	}, locators)
	assert.Len(t, doc.Relationships, 4)
	assert.Equal(t, "feed", doc.Packages[0].Checksums[0].Value)
}

func TestSBOMOfAnExecutable(t *testing.T) {
	t.Parallel()
	raw, err := sbom(tiny.amd64, "feed", "v0.1.0")
	require.NoError(t, err)
	var doc spdxDocument
	require.NoError(t, json.Unmarshal(raw, &doc))
	assert.Equal(t, "SPDX-2.3", doc.Version)
	assert.Equal(t, "example.org/tiny", doc.Packages[0].Name)

	_, err = sbom(tiny.dynamic, "feed", "v0.1.0")
	assert.ErrorContains(t, err, "no Go build information")
}
