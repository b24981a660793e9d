package artifact

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// kept is a source that holds archives by id.
type kept struct {
	listed   []Artifact
	archives map[int64][]byte
	asked    []int64
}

func (k *kept) Artifacts(context.Context, int64) ([]Artifact, error) { return k.listed, nil }

func (k *kept) Download(_ context.Context, a Artifact, w io.Writer, limit int64) error {
	k.asked = append(k.asked, a.ID)
	data, ok := k.archives[a.ID]
	if !ok || int64(len(data)) > limit {
		return fault.Environment(errors.New("cut"))
	}
	_, err := w.Write(data)
	return err
}

func TestFetch(t *testing.T) {
	t.Parallel()
	run := Run{ID: 7, Commit: "c0ffee"}
	one := archive(t, entry{name: "training.json", content: "{}"}, entry{name: "seed-1.onnx", content: strings.Repeat("x", 990)})
	two := func(archive []byte) *kept {
		return &kept{
			listed:   []Artifact{{ID: 1, Name: "dosirak-m-seed-1", Run: run}, {ID: 2, Name: "dosirak-m-seed-2", Run: run}},
			archives: map[int64][]byte{1: one, 2: archive},
		}
	}
	for _, tt := range []struct {
		name   string
		second []byte
		code   int
		says   string
	}{
		{"fine", one, 0, ""},
		{"hostile", archive(t, entry{name: "../training.json"}), fault.CodeUsage, "dosirak-m-seed-2 of run 7: unpacking"},
		{"too much of all together", archive(t, entry{name: "a", content: strings.Repeat("x", 600)}, entry{name: "b", content: strings.Repeat("x", 600)}), fault.CodeUsage, "together"},
		{"a download that fails", nil, fault.CodeEnvironment, "cut"},
	} {
		parent := t.TempDir()
		out := filepath.Join(parent, "out")
		s := two(tt.second)
		if tt.second == nil {
			delete(s.archives, 2)
		}
		names, err := Fetch(t.Context(), s, run, "m", out, limits)
		if tt.says != "" {
			require.Error(t, err, tt.name)
			assert.Contains(t, err.Error(), tt.says, tt.name)
			assert.Equal(t, tt.code, fault.ExitCode(err), tt.name)
			assert.NoDirExists(t, out, tt.name)
			continue
		}
		require.NoError(t, err, tt.name)
		assert.Equal(t, []string{"dosirak-m-seed-1", "dosirak-m-seed-2"}, names)
		for _, name := range names {
			assert.FileExists(t, filepath.Join(out, name, "training.json"))
		}
	}

	s := two(one)
	_, err := Fetch(t.Context(), s, Run{ID: 8}, "m", filepath.Join(t.TempDir(), "out"), limits)
	require.Error(t, err)
	assert.Empty(t, s.asked, "what is refused is not downloaded")

	there := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(there, "x"), nil, 0o644))
	_, err = Fetch(t.Context(), s, run, "m", there, limits)
	assert.ErrorContains(t, err, "there already")
	assert.FileExists(t, filepath.Join(there, "x"))
	assert.Empty(t, s.asked)
}
