package inference_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/engine/enginetest"
	"github.com/dosirak-ml/dosirak/model-server/inference"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func asking(first float32) []tensor.Tensor {
	inputs := enginetest.Rows(1)
	inputs[0].F32[0] = first
	inputs[1].Strs[0] = "private"
	return inputs
}

// What is wrong is told by kind, whoever asks and in whatever protocol.
func TestErrorsAreNeutral(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	m := inference.New(&enginetest.Fake{}, inference.Options{Name: "m", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	var (
		request *inference.RequestError
		model   *inference.ModelError
	)
	for name, c := range map[string]struct {
		inputs []tensor.Tensor
		names  []string
		kind   inference.Kind
		text   string
	}{
		"no inputs":           {nil, nil, inference.Invalid, `input "x" is missing`},
		"an unknown output":   {asking(1), []string{"q"}, inference.Invalid, `output "q" is unknown; the model's outputs are "label" INT64 [N], "p" FP32 [N, 2]`},
		"an output twice":     {asking(1), []string{"p", "p"}, inference.Invalid, `asked for twice`},
		"a value":             {asking(400), nil, inference.Invalid, `"private" is a category that the model does not know`},
		"more than is given":  {asking(413), nil, inference.TooLarge, "send fewer rows at a time"},
		"more rows than read": {enginetest.Rows(inference.DefaultMaxRows + 1), nil, inference.Invalid, "at most 65536"},
	} {
		_, err := m.Infer(context.Background(), c.inputs, c.names)
		require.ErrorAs(t, err, &request, name)
		assert.Equal(t, c.kind, request.Kind, name)
		assert.ErrorContains(t, err, c.text, name)
	}
	assert.Empty(t, log.String(), "a caller's mistakes are no events")

	_, err := m.Infer(context.Background(), asking(500), nil)
	require.ErrorAs(t, err, &model)
	assert.Equal(t, "the model failed on this request; the server's log says why", model.Public())
	assert.ErrorContains(t, err, "secret reason")
	_, err = m.Infer(context.Background(), asking(666), nil)
	require.ErrorAs(t, err, &model)
	assert.Contains(t, log.String(), "secret reason")
	assert.Contains(t, log.String(), "the engine panicked")
	assert.NotContains(t, log.String(), "private")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = m.Infer(ctx, asking(7), nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, errors.As(err, &model))

	silent := inference.New(&enginetest.Fake{}, inference.Options{Name: "m"})
	_, err = silent.Infer(context.Background(), asking(500), nil)
	require.ErrorAs(t, err, &model)
	assert.Equal(t, "the model failed on this request", model.Public(), "there is no log to point at")
}

func TestOutputsAreChosenByName(t *testing.T) {
	t.Parallel()
	m := inference.New(&enginetest.Fake{}, inference.Options{Name: "m", Release: "v1", Platform: "onnx_onnxv1"})
	outputs, err := m.Infer(context.Background(), asking(1), []string{"p", "label"})
	require.NoError(t, err)
	require.Len(t, outputs, 2)
	assert.Equal(t, "p", outputs[0].Name)
	assert.Equal(t, "label", outputs[1].Name)
	assert.False(t, m.Ready())
	m.SetReady(true)
	assert.True(t, m.Ready())
	d := m.Describe()
	assert.Equal(t, []string{"m", "1", "v1", "onnx_onnxv1", "fake", ""}, []string{d.Name, d.Version, d.Release, d.Platform, d.Engine, d.Digest})
}

// wordy answers each row with a long text, and with many numbers.
type wordy struct {
	*enginetest.Fake
	text, width int
}

func (w wordy) Infer(_ context.Context, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	n := inputs[0].Rows()
	label := tensor.Tensor{Name: "label", Datatype: tensor.Bytes, Shape: []int64{int64(n)}}
	for range n {
		label.Strs = append(label.Strs, strings.Repeat("a", w.text))
	}
	p := tensor.Tensor{Name: "p", Datatype: tensor.FP32, Shape: []int64{int64(n), int64(w.width)}, F32: make([]float32, n*w.width)}
	return []tensor.Tensor{label, p}, nil
}

// What a model blows up from a small request is not written.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		engine wordy
		rows   int
		names  []string
		err    string
	}{
		"text":                {wordy{text: 1 << 20, width: 1}, 65, nil, "bytes of text"},
		"numbers":             {wordy{width: 1 << 18}, 65, nil, "elements, at most"},
		"neither":             {wordy{text: 1 << 20, width: 1 << 18}, 10, nil, ""},
		"only what was asked": {wordy{text: 1 << 20, width: 1}, 65, []string{"p"}, ""},
	} {
		c.engine.Fake = &enginetest.Fake{}
		_, err := inference.New(c.engine, inference.Options{Name: "m"}).Infer(context.Background(), enginetest.Rows(c.rows), c.names)
		if c.err == "" {
			assert.NoError(t, err, name)
			continue
		}
		var request *inference.RequestError
		require.ErrorAs(t, err, &request, name)
		assert.Equal(t, inference.TooLarge, request.Kind, name)
		assert.ErrorContains(t, err, c.err, name)
	}
}
