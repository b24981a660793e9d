package handoff_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/pipeline/export"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/toolchain"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// sink is a run's folder.
type sink string

func (s sink) Dir() string { return string(s) }

func (s sink) WriteFile(name string, data []byte) error {
	path := filepath.Join(string(s), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

func environment(cpu string) *handoff.Environment {
	return &handoff.Environment{
		Machine: provenance.Machine{OS: "linux", Arch: "amd64", CPU: cpu, Cores: 4},
		Runtime: provenance.Runtime{Executor: "host", Threads: []string{"OMP_NUM_THREADS=2"}, Tools: []toolchain.Tool{
			{Name: "python", Version: "3.11.7", Packages: []toolchain.Package{{Name: "numpy", Version: "2.0"}, {Name: "conda:libopenblas", Version: "0.3-h0_1"}}},
		}},
	}
}

// trained writes a training of some seeds, the first of them twice.
func trained(t *testing.T, seeds ...int64) string {
	t.Helper()
	made := t.TempDir()
	var all []handoff.Seed
	for _, seed := range seeds {
		model, history := filepath.Join(made, fmt.Sprintf("model-%d.onnx", seed)), filepath.Join(made, fmt.Sprintf("history-%d.jsonl", seed))
		require.NoError(t, os.WriteFile(model, onnxtest.Encode(onnxtest.Logistic([]string{"a", "b"}, []float32{float32(seed), 1, 2})), 0o644))
		require.NoError(t, os.WriteFile(history, fmt.Appendf(nil, "{\"step\": %d}\n", seed), 0o644))
		all = append(all, handoff.Seed{Seed: seed, Model: model, History: history, Params: map[string]any{"rate": 0.5}, Duration: 1500 * time.Millisecond})
	}
	out := filepath.Join(t.TempDir(), "training")
	again := all[0]
	again.History = ""
	require.NoError(t, handoff.Write(out, handoff.Origin{Model: "m", Commit: commit, Environment: environment(fmt.Sprint("processor ", seeds[0]))}, all, &again))
	return out
}

// The name of the file stands in two rooms that know nothing of each other.
func TestPredictionsHaveOneName(t *testing.T) {
	t.Parallel()
	assert.Equal(t, export.File, train.PredictionsFile)
}

// What one machine writes another one takes, as it was.
func TestWriteAndTake(t *testing.T) {
	t.Parallel()
	folder, to := trained(t, 3, -1), sink(t.TempDir())
	taken, err := handoff.Take(folder, handoff.Wanted{Model: "m", Commit: commit, Clean: true, Seeds: []int64{3, -1}}, to)
	require.NoError(t, err)
	require.Len(t, taken.Replicates, 2)
	for i, seed := range []int64{3, -1} {
		r := taken.Replicates[i]
		assert.Equal(t, seed, r.Seed)
		assert.Equal(t, 1500*time.Millisecond, r.Duration)
		assert.Equal(t, map[string]any{"rate": 0.5}, r.Params)
		model, err := os.ReadFile(taken.Models[i])
		require.NoError(t, err)
		assert.Equal(t, onnxtest.Encode(onnxtest.Logistic([]string{"a", "b"}, []float32{float32(seed), 1, 2})), model)
		history, err := os.ReadFile(filepath.Join(to.Dir(), r.History))
		require.NoError(t, err)
		assert.Contains(t, string(history), fmt.Sprint(seed))
	}
	require.NotNil(t, taken.Twin)
	assert.Equal(t, int64(3), taken.Twin.Seed)
	first, err := os.ReadFile(taken.Models[0])
	require.NoError(t, err)
	second, err := os.ReadFile(taken.Again)
	require.NoError(t, err)
	assert.Equal(t, first, second)

	for _, tt := range []struct {
		name, says string
		change     func(w *handoff.Wanted)
	}{
		{"another model", `is of model "m", the config is of "n"`, func(w *handoff.Wanted) { w.Model = "n" }},
		{"another commit", "is of commit 0123456789ab, and what is judged is commit ffff", func(w *handoff.Wanted) { w.Commit = strings.Repeat("f", 40) }},
		{"a seed less", "has 2 replicates, the exam asks for the seeds [3]", func(w *handoff.Wanted) { w.Seeds = []int64{3} }},
		{"another seed", "lacks seed 4", func(w *handoff.Wanted) { w.Seeds = []int64{3, 4} }},
	} {
		w := handoff.Wanted{Model: "m", Commit: commit, Seeds: []int64{3, -1}}
		tt.change(&w)
		_, err := handoff.Take(folder, w, sink(t.TempDir()))
		assert.ErrorContains(t, err, tt.says, tt.name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), tt.name)
	}
	_, err = handoff.Take(folder, handoff.Wanted{Model: "m", Seeds: []int64{3, -1}}, sink(t.TempDir()))
	assert.NoError(t, err, "a commit that nobody asks about")
}

// change edits the record of a training as JSON.
func change(t *testing.T, folder string, edit func(record map[string]any)) {
	t.Helper()
	path := filepath.Join(folder, "training.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var record map[string]any
	numbers := json.NewDecoder(bytes.NewReader(text))
	numbers.UseNumber() // seeds have more digits than a float
	require.NoError(t, numbers.Decode(&record))
	edit(record)
	text, err = json.Marshal(record)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o644))
}

// A folder that a stranger wrote gives a training or an error that names what
// is wrong, in plain characters.
func TestReadAStrangers(t *testing.T) {
	t.Parallel()
	replicate := func(record map[string]any, i int) map[string]any {
		return record["replicates"].([]any)[i].(map[string]any)
	}
	model := func(record map[string]any) map[string]any { return replicate(record, 0)["model"].(map[string]any) }
	for _, tt := range []struct {
		name, says string
		spoil      func(t *testing.T, folder string)
	}{
		{"no record", "there is no such file", func(t *testing.T, folder string) {
			require.NoError(t, os.Remove(filepath.Join(folder, "training.json")))
		}},
		{"a record that is a link", "it is no file of at most", func(t *testing.T, folder string) {
			require.NoError(t, os.Remove(filepath.Join(folder, "training.json")))
			require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(folder, "training.json")))
		}},
		{"a record without end", "it is no file of at most", func(t *testing.T, folder string) {
			require.NoError(t, os.WriteFile(filepath.Join(folder, "training.json"), bytes.Repeat([]byte(" "), 1<<20+1), 0o644))
		}},
		{"no JSON", "invalid character", func(t *testing.T, folder string) {
			require.NoError(t, os.WriteFile(filepath.Join(folder, "training.json"), []byte("seeds: 3"), 0o644))
		}},
		{"two objects", "something follows the object", func(t *testing.T, folder string) {
			text, err := os.ReadFile(filepath.Join(folder, "training.json"))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(folder, "training.json"), append(text, '{'), 0o644))
		}},
		{"an unknown field", "unknown field", func(t *testing.T, folder string) { change(t, folder, func(r map[string]any) { r["verdict"] = "PASS" }) }},
		{"another schema", "this release knows", func(t *testing.T, folder string) { change(t, folder, func(r map[string]any) { r["schema"] = "v9" }) }},
		{"no replicate", "it has 0 replicates", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { r["replicates"] = []any{} })
		}},
		{"too many", "it has 201 replicates", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { r["replicates"] = slices.Repeat([]any{replicate(r, 0)}, 201) })
		}},
		{"a seed twice", "is a file of seed 3 and of seed 3", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { r["replicates"] = []any{replicate(r, 0), replicate(r, 0)} })
		}},
		{"a seed again that is none", "seed 9 is said to be trained again", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { r["again"].(map[string]any)["seed"] = 9 })
		}},
		{"a commit that moves the cursor", `its commit is "[2Jmain"`, func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { r["commit"] = "\x1b[2Jmain" })
		}},
		{"a time before the beginning", "seed 3 took -1 ms", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { replicate(r, 0)["duration_ms"] = -1 })
		}},
		{"a time that overflows", "seed 3 took 9223372036854775807 ms", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { replicate(r, 0)["duration_ms"] = json.Number("9223372036854775807") })
		}},
		{"no digest", "has no SHA-256", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { model(r)["sha256"] = "" })
		}},
		{"another digest", "does not have the digest", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { model(r)["sha256"] = strings.Repeat("0", 64) })
		}},
		{"another size", "is not the file of 7 bytes", func(t *testing.T, folder string) { change(t, folder, func(r map[string]any) { model(r)["size"] = 7 }) }},
		{"a size beyond the limit", "is not the file of", func(t *testing.T, folder string) {
			change(t, folder, func(r map[string]any) { model(r)["size"] = 1 << 40 })
		}},
		{"a model that is not there", "is missing", func(t *testing.T, folder string) { require.NoError(t, os.Remove(filepath.Join(folder, "seed-3.onnx"))) }},
		{"a model that leads elsewhere", "is not the file of", func(t *testing.T, folder string) {
			require.NoError(t, os.Remove(filepath.Join(folder, "seed-3.onnx")))
			require.NoError(t, os.Symlink("/dev/zero", filepath.Join(folder, "seed-3.onnx")))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := trained(t, 3, 4)
			tt.spoil(t, folder)
			_, err := handoff.Take(folder, handoff.Wanted{Model: "m", Seeds: []int64{3, 4}}, sink(t.TempDir()))
			require.ErrorContains(t, err, tt.says)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), "%v", err)
			assert.NotContains(t, err.Error(), "\x1b")
		})
	}
}

// No name leads out of the folder or hides in it.
func TestNamesOfAStranger(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "../x.onnx", "a/b.onnx", `a\b.onnx`, "/etc/passwd", "C:x", ".hidden", "training.json", "Training.JSON", "-rf", "x\x00.onnx", "x\x1b[2J.onnx", "é.onnx", strings.Repeat("a", 129)} {
		folder := trained(t, 3)
		change(t, folder, func(r map[string]any) {
			r["replicates"].([]any)[0].(map[string]any)["model"].(map[string]any)["path"] = name
		})
		_, err := handoff.Read(folder)
		require.ErrorContains(t, err, "is not the name of a file", "%q", name)
		assert.NotContains(t, err.Error(), "\x1b")
	}
}

func TestGather(t *testing.T) {
	t.Parallel()
	one, two := trained(t, 1), trained(t, -9223372036854775808, 9223372036854775807)
	change(t, two, func(r map[string]any) { delete(r, "again") })
	out := filepath.Join(t.TempDir(), "all")
	require.NoError(t, handoff.Gather([]string{one, two}, out))
	joined, err := handoff.Read(out)
	require.NoError(t, err)
	var seeds []int64
	for _, r := range joined.Replicates {
		seeds = append(seeds, r.Seed)
	}
	assert.Equal(t, []int64{-9223372036854775808, 1, 9223372036854775807}, seeds, "in order")
	assert.Equal(t, int64(1), joined.Again.Seed)

	for name, tt := range map[string]struct {
		says  string
		spoil func(second string)
	}{
		"another model":        {"gather one change's replicates only", func(second string) { change(t, second, func(r map[string]any) { r["model"] = "n" }) }},
		"another commit":       {"gather one change's replicates only", func(second string) { change(t, second, func(r map[string]any) { delete(r, "commit") }) }},
		"two second trainings": {"two folders hold a seed that was trained a second time", func(string) {}},
		"one name for two": {"both have a file SEED-1.onnx", func(second string) {
			change(t, second, func(r map[string]any) {
				delete(r, "again")
				r["replicates"].([]any)[0].(map[string]any)["model"].(map[string]any)["path"] = "SEED-1.onnx"
			})
		}},
	} {
		first, second := trained(t, 1), trained(t, 2)
		tt.spoil(second)
		err := handoff.Gather([]string{first, second}, filepath.Join(t.TempDir(), "all"))
		require.ErrorContains(t, err, tt.says, name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), name)
	}
	err = handoff.Gather([]string{one, one}, filepath.Join(t.TempDir(), "twice"))
	assert.ErrorContains(t, err, "seed 1 is in two folders")
}

// What the candidate was trained in is carried along, as a claim within bounds.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	one := trained(t, 3, -1)
	taken, err := handoff.Take(one, handoff.Wanted{Model: "m", Seeds: []int64{3, -1}}, sink(t.TempDir()))
	require.NoError(t, err)
	assert.Equal(t, environment("processor 3"), taken.Environment)

	for name, breaking := range map[string]func(e *handoff.Environment){
		"a processor of many lines":   func(e *handoff.Environment) { e.Machine.CPU = "a\nb" },
		"a long name":                 func(e *handoff.Environment) { e.Machine.OS = strings.Repeat("a", 201) },
		"less than no core":           func(e *handoff.Environment) { e.Machine.Cores = -1 },
		"a variable that is no limit": func(e *handoff.Environment) { e.Runtime.Threads = []string{"PATH=/x"} },
		"a tool":                      func(e *handoff.Environment) { e.Runtime.Tools[0].Name = "../x" },
		"a version":                   func(e *handoff.Environment) { e.Runtime.Tools[0].Version = "\x1b[0m" },
		"a distribution":              func(e *handoff.Environment) { e.Runtime.Tools[0].Packages[0].Name = "<b>" },
		"its version":                 func(e *handoff.Environment) { e.Runtime.Tools[0].Packages[0].Version = "\u202e" },
		"too many":                    func(e *handoff.Environment) { e.Runtime.Tools[0].Packages = make([]toolchain.Package, 6000) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := trained(t, 1)
			path := filepath.Join(folder, "training.json")
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			var record handoff.Training
			require.NoError(t, json.Unmarshal(text, &record))
			breaking(record.Environment)
			text, err = json.Marshal(record)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, text, 0o644))
			_, err = handoff.Read(folder)
			require.Error(t, err)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
			for _, r := range err.Error() {
				assert.True(t, r >= 0x20 && r < 0x7f, "%q", err)
			}
		})
	}
}
