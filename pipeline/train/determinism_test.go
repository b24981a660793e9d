package train_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/train"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// tiny is an ONNX model of one node and one initializer. swapped writes the
// graph before the producer: other bytes, the same content.
type tiny struct {
	graph, producer string
	weights         []float32
	swapped         bool
}

func (m tiny) bytes() []byte {
	field := func(b []byte, number protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
	}
	varint := func(b []byte, number protowire.Number, value uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), value)
	}
	node := field(field(field(field(nil, 1, []byte("X")), 1, []byte("W")), 2, []byte("Y")), 4, []byte("Mul"))
	raw := []byte{}
	for _, w := range m.weights {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(w))
	}
	tensor := varint(varint(nil, 1, uint64(len(m.weights))), 2, 1)
	tensor = field(field(tensor, 8, []byte("W")), 9, raw)
	graph := field(field(field(nil, 1, node), 2, []byte(m.graph)), 5, tensor)
	model := varint(nil, 1, 8)
	if m.swapped {
		return field(field(model, 7, graph), 2, []byte(m.producer))
	}
	return field(field(model, 2, []byte(m.producer)), 7, graph)
}

// prove compares two models with their histories; "" is no history.
func prove(t *testing.T, a, b []byte, historyA, historyB string, d train.PredictionDifference) train.Proof {
	t.Helper()
	dir := t.TempDir()
	side := func(name string, model []byte, history string) train.Side {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		s := train.Side{Model: filepath.Join(dir, name, "model.onnx"), RunDir: dir, Replicate: train.Replicate{Seed: 1, Out: name}}
		require.NoError(t, os.WriteFile(s.Model, model, 0o644))
		if history != "" {
			s.Replicate.History = name + "/history.jsonl"
			require.NoError(t, os.WriteFile(filepath.Join(dir, s.Replicate.History), []byte(history), 0o644))
		}
		return s
	}
	proof, err := train.Prove(t.Context(), side("a", a, historyA), side("b", b, historyB), func(context.Context) (train.PredictionDifference, error) {
		return d, nil
	})
	require.NoError(t, err)
	return proof
}

func TestProve(t *testing.T) {
	t.Parallel()
	base := tiny{graph: "g", producer: "p", weights: []float32{1, 2, 3}}
	with := func(change func(*tiny)) []byte {
		m := base
		change(&m)
		return m.bytes()
	}
	equal := train.PredictionDifference{Rows: 100}
	differ := train.PredictionDifference{Rows: 100, Changed: 7, Labels: 2, Largest: 0.25}
	const history = "{\"step\": 1, \"loss\": 0.5}\n{\"step\": 2, \"loss\": 0.25}\n"
	for name, test := range map[string]struct {
		b           []byte
		historyB    string
		predictions train.PredictionDifference
		kind        train.Kind
		reason      []string
		hint        string
		passes      []string // values of reproduce
	}{
		"identical": {
			b: base.bytes(), historyB: history, kind: train.Identical,
			reason: []string{"seed 1, trained twice, gave the same model, bit by bit"}, passes: []string{"bitwise", "predictions", "tolerance 1e-300"},
		},
		"a random name of the graph": {
			b: with(func(m *tiny) { m.graph = "8f0e" }), historyB: history, predictions: equal, kind: train.EqualPredictions,
			reason: []string{"equal answers on 100 rows", `graph name: "g" vs "8f0e"`, "convert_sklearn draws a random one", "so does onnxmltools"}, hint: "pass name= to the converter: convert_sklearn, convert_xgboost, convert_lightgbm",
			passes: []string{"predictions", "tolerance 1e-300"},
		},
		"other notes": {
			b: with(func(m *tiny) { m.producer = "q" }), historyB: history, predictions: equal, kind: train.EqualPredictions,
			reason: []string{"producer", "only notes in the model differ"}, hint: "no time, path or random id", passes: []string{"predictions", "tolerance 1e-300"},
		},
		"another encoding": {
			b: with(func(m *tiny) { m.swapped = true }), historyB: history, predictions: equal, kind: train.EqualPredictions,
			reason: []string{"say the same in other bytes"}, hint: "exporter", passes: []string{"predictions", "tolerance 1e-300"},
		},
		"unseeded from the first step": {
			b:        with(func(m *tiny) { m.weights = []float32{1, 2.5, 3} }),
			historyB: "{\"step\": 1, \"loss\": 0.6}\n", predictions: differ, kind: train.Different,
			reason: []string{
				"7 of 100 answers differ, by up to 0.25, 2 in their class", `initializer "W" [1]: 2 vs 2.5`, "line 1 (step 1), loss: 0.5, then 0.6", "first step on",
				"reproduce: bitwise asks for more",
			},
			hint: "DOSIRAK_SEED",
		},
		"parting later": {
			b:        with(func(m *tiny) { m.weights = []float32{1, 2, 3.0000002} }),
			historyB: strings.Replace(history, "0.25", "0.2500001", 1), predictions: train.PredictionDifference{Rows: 100, Changed: 3, Largest: 1e-7}, kind: train.Different,
			reason: []string{"line 2 (step 2), loss: 0.25, then 0.2500001", "part later"}, hint: "OMP_NUM_THREADS", passes: []string{"tolerance 1e-06"},
		},
		"a longer history": {
			b: with(func(m *tiny) { m.weights = []float32{5, 2, 3} }), historyB: history + "{\"step\": 3}\n", predictions: differ, kind: train.Different,
			reason: []string{`line 3: absent, then {"step": 3}`},
		},
		"no history": {
			b: with(func(m *tiny) { m.weights = []float32{5, 2, 3} }), predictions: differ, kind: train.Different,
			reason: []string{"a history, then absent"},
		},
		"no ONNX": {
			b: []byte("something else"), historyB: history, predictions: differ, kind: train.Different,
			reason: []string{"where they differ is not known"}, hint: "DOSIRAK_SEED",
		},
		"only the time of day differs in the history": {
			b: base.bytes(), historyB: strings.Replace(history, "}", ", \"time\": 17}", 1), kind: train.Identical, passes: []string{"bitwise", "predictions", "tolerance 1e-300"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proof := prove(t, tiny{graph: "g", producer: "p", weights: []float32{1, 2, 3}}.bytes(), test.b, history, test.historyB, test.predictions)
			assert.Equal(t, test.kind, proof.Kind)
			for _, text := range []string{"bitwise", "predictions", "tolerance 1e-300", "tolerance 1e-06"} {
				required, err := train.ParseReproduce(text)
				require.NoError(t, err)
				got := train.Judge(&proof, required)
				want := verdict.Fail
				for _, pass := range test.passes {
					if pass == text || pass == "tolerance 1e-300" && text == "tolerance 1e-06" {
						want = verdict.Pass
					}
				}
				assert.Equal(t, want, got.Verdict, text)
				assert.True(t, got.Judged)
				if text == "bitwise" {
					for _, reason := range test.reason {
						assert.Contains(t, got.Reason, reason)
					}
					assert.Contains(t, got.Hint, test.hint)
				}
			}
		})
	}
}

func TestJudgeWithoutProof(t *testing.T) {
	t.Parallel()
	off, err := train.ParseReproduce("off")
	require.NoError(t, err)
	got := train.Judge(nil, off)
	assert.Equal(t, verdict.Pass, got.Verdict)
	assert.False(t, got.Judged)
	bitwise, err := train.ParseReproduce("bitwise")
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, train.Judge(nil, bitwise).Verdict, "nothing was proved, so nothing passes")
	nothing := &train.Proof{Kind: train.Different, Predictions: &train.PredictionDifference{}}
	assert.Equal(t, verdict.Fail, train.Judge(nothing, train.Reproduce{Mode: "tolerance", Tolerance: 1}).Verdict, "no rows prove nothing")
	nan := &train.Proof{Kind: train.Different, Predictions: &train.PredictionDifference{Rows: 5, Changed: 1, Largest: math.NaN()}}
	assert.Equal(t, verdict.Fail, train.Judge(nan, train.Reproduce{Mode: "tolerance", Tolerance: 1}).Verdict)
}

func TestParseReproduce(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]train.Reproduce{
		"bitwise": {Mode: "bitwise"}, "predictions": {Mode: "predictions"}, "off": {Mode: "off"}, "tolerance 1e-06": {Mode: "tolerance", Tolerance: 1e-6}, "tolerance 0.5": {Mode: "tolerance", Tolerance: 0.5},
	} {
		got, err := train.ParseReproduce(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		again, err := train.ParseReproduce(got.String())
		require.NoError(t, err)
		assert.Equal(t, got, again)
	}
	for _, text := range []string{"", "exactly", "bitwise 1", "tolerance", "tolerance 0", "tolerance -1", "tolerance NaN", "tolerance Inf", "1e-6"} {
		_, err := train.ParseReproduce(text)
		require.ErrorContains(t, err, "none of bitwise, predictions, off", text)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
}

func TestProveFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"a": "1", "b": "2"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	side := func(name string) train.Side { return train.Side{Model: filepath.Join(dir, name), RunDir: dir} }
	_, err := train.Prove(t.Context(), side("a"), side("nothing"), nil)
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	boom := errors.New("boom")
	_, err = train.Prove(t.Context(), side("a"), side("b"), func(context.Context) (train.PredictionDifference, error) {
		return train.PredictionDifference{}, boom
	})
	require.ErrorIs(t, err, boom)
}
