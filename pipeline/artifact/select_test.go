package artifact

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func TestSelect(t *testing.T) {
	t.Parallel()
	run := Run{ID: 7, Commit: "c0ffee"}
	of := func(id int64, name string, change ...func(*Artifact)) Artifact {
		a := Artifact{ID: id, Name: name, Size: 10, Run: run}
		for _, c := range change {
			c(&a)
		}
		return a
	}
	expired := func(a *Artifact) { a.Expired = true }
	for _, tt := range []struct {
		name   string
		listed []Artifact
		want   []int64
		says   string
	}{
		{"one a seed", []Artifact{of(1, "dosirak-m-seed-2"), of(2, "dosirak-m-seed-1")}, []int64{2, 1}, ""},
		{"the newest attempt", []Artifact{of(1, "dosirak-m-seed-1", expired), of(9, "dosirak-m-seed-1"), of(3, "dosirak-m-seed-1")}, []int64{9}, ""},
		{"others are left alone", []Artifact{
			of(1, "dosirak-m-seed-1"), of(2, "dosirak-m-seed-1-seed-1"), of(3, "dosirak-other-seed-1"), of(4, "dosirak-report-m", expired),
			of(5, "dosirak-m-seed-01"), of(6, "dosirak-m-seed-+1"), of(7, "dosirak-m-seed-1/../x"), of(8, "dosirak-m-seed-"), of(9, "dosirak-m-seed-99999999999999999999"),
		}, []int64{1}, ""},
		{"a seed below zero", []Artifact{of(1, "dosirak-m-seed--1")}, []int64{1}, ""},
		{"none", nil, nil, "left no artifact dosirak-m-seed-N: see in that run"},
		{"none of this model", []Artifact{of(1, "dosirak-n-seed-1")}, nil, "left no artifact"},
		{"expired", []Artifact{of(1, "dosirak-m-seed-1"), of(2, "dosirak-m-seed-2", expired)}, nil, "dosirak-m-seed-2 of run 7 has expired: run all jobs"},
		{"too large", []Artifact{of(1, "dosirak-m-seed-1", func(a *Artifact) { a.Size = limits.Archive + 1 })}, nil, "at most 1048576 are downloaded"},
		{"a size that is none", []Artifact{of(1, "dosirak-m-seed-1", func(a *Artifact) { a.Size = -1 })}, nil, "-1 bytes"},
		{"of another run", []Artifact{of(1, "dosirak-m-seed-1", func(a *Artifact) { a.Run.ID = 8 })}, nil, "of run 8"},
		{"of another commit", []Artifact{of(1, "dosirak-m-seed-1", func(a *Artifact) { a.Run.Commit = "bad" })}, nil, `at commit "bad"`},
		{"of no run", []Artifact{of(1, "dosirak-m-seed-1", func(a *Artifact) { a.Run = Run{} })}, nil, "of run 0"},
		{"too many", []Artifact{of(1, "dosirak-m-seed-1"), of(2, "dosirak-m-seed-2"), of(3, "dosirak-m-seed-3"), of(4, "dosirak-m-seed-4")}, nil, "4 trainings"},
	} {
		got, err := Select(tt.listed, run, "m", limits)
		if tt.says != "" {
			require.Error(t, err, tt.name)
			assert.Contains(t, err.Error(), tt.says, tt.name)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), tt.name)
			continue
		}
		require.NoError(t, err, tt.name)
		var ids []int64
		for _, a := range got {
			ids = append(ids, a.ID)
		}
		assert.Equal(t, tt.want, ids, tt.name)
	}
}
