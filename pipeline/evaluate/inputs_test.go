package evaluate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

const flights = `id,when,carrier,hour,distance,temp,ok,late
a,1,UA,5,1400.5,40.1,true,0
b,2,,6,200,,False,1
c,3,"B6, x",7,NaN,inf,1,0
`

var flightsData = exam.Data{Label: "late", ID: "id", Time: "when"}

func TestRowsByName(t *testing.T) {
	t.Parallel()
	s := bundle.Signature{Inputs: []bundle.TensorSpec{
		spec("distance", tensor.FP32, -1, 1), spec("carrier", tensor.Bytes, -1, 1), spec("hour", tensor.Int64, -1),
		spec("temp", tensor.FP64, -1, 1), spec("ok", tensor.Bool, -1, 1), spec("when", tensor.Uint8, -1, 1),
	}}
	got, err := Rows(tableOf(t, flights), s, flightsData, nil)
	require.NoError(t, err)
	require.Len(t, got, 6)
	assert.Equal(t, []float32{1400.5, 200}, got[0].F32[:2])
	assert.True(t, math.IsNaN(float64(got[0].F32[2])))
	assert.Equal(t, tensor.Tensor{Name: "carrier", Datatype: tensor.Bytes, Shape: []int64{3, 1}, Strs: []string{"UA", "", "B6, x"}}, got[1])
	assert.Equal(t, tensor.Tensor{Name: "hour", Datatype: tensor.Int64, Shape: []int64{3}, I64: []int64{5, 6, 7}}, got[2])
	assert.True(t, math.IsNaN(got[3].F64[1]))
	assert.True(t, math.IsInf(got[3].F64[2], 1))
	assert.Equal(t, []bool{true, false, true}, got[4].Bools)
	assert.Equal(t, []uint64{1, 2, 3}, got[5].U64)

	some, err := Rows(tableOf(t, flights), s, flightsData, []int{2, 0})
	require.NoError(t, err)
	assert.Equal(t, []int64{7, 5}, some[2].I64)
}

func TestRowsByMatrix(t *testing.T) {
	t.Parallel()
	data := tableOf(t, "id,b,label,a\nx,1,0,2\ny,3,1,4\n")
	meanings := exam.Data{Label: "label", ID: "id"}
	for name, c := range map[string]struct {
		features []string
		shape    int64
		want     []float32
	}{
		"the header's order": {nil, 2, []float32{1, 2, 3, 4}},
		"of any width":       {nil, -1, []float32{1, 2, 3, 4}},
		"data.features":      {[]string{"a", "b"}, 2, []float32{2, 1, 4, 3}},
		"one feature":        {[]string{"a"}, 1, []float32{2, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			meanings := meanings
			meanings.Features = c.features
			got, err := Rows(data, bundle.Signature{Inputs: []bundle.TensorSpec{spec("X", tensor.FP32, -1, c.shape)}}, meanings, nil)
			require.NoError(t, err)
			assert.Equal(t, c.want, got[0].F32)
			require.NoError(t, got[0].Check())
		})
	}
}

func TestRowsRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs   []bundle.TensorSpec
		features []string
		err      []string
	}{
		"missing columns": {[]bundle.TensorSpec{spec("hours", tensor.Int64, -1, 1), spec("carrier", tensor.Bytes, -1, 1), spec("zzz", tensor.FP32, -1, 1)}, nil,
			[]string{`there is no column for its inputs "hours" (did you mean "hour"?), "zzz"; columns that no input takes: id, when, hour, distance, temp, ok, late`}},
		"wide among several": {[]bundle.TensorSpec{spec("hour", tensor.Int64, -1, 2), spec("carrier", tensor.Bytes, -1, 1)}, nil, []string{`input "hour" has the shape [-1 2]`}},
		"the label":          {[]bundle.TensorSpec{spec("late", tensor.Int64, -1, 1)}, nil, []string{`takes the label "late"`}},
		"too wide":           {[]bundle.TensorSpec{spec("X", tensor.FP32, -1, 9)}, nil, []string{`input "X" takes 9 values a row`, "are 5: carrier, hour, distance, temp, ok", "data.features"}},
		"one that is none":   {[]bundle.TensorSpec{spec("hours", tensor.FP32, -1, 1)}, nil, []string{`input "hours" takes 1 value a row; did you mean "hour"?`}},
		"unknown feature":    {[]bundle.TensorSpec{spec("X", tensor.FP32, -1, 2)}, []string{"hour", "hours"}, []string{`no column "hours"`}},
		"label as feature":   {[]bundle.TensorSpec{spec("X", tensor.FP32, -1, 2)}, []string{"hour", "late"}, []string{`data.features names the label "late"`}},
		"an image":           {[]bundle.TensorSpec{spec("X", tensor.FP32, -1, 3, 8, 8)}, nil, []string{"shape [-1 3 8 8]"}},
		"text for a number":  {[]bundle.TensorSpec{spec("carrier", tensor.FP32, -1, 1)}, nil, []string{`eval.csv:2: column "carrier": "UA" is no FP32`}},
		"text in a matrix":   {[]bundle.TensorSpec{spec("X", tensor.FP32, -1, 5)}, nil, []string{`eval.csv:2: column "carrier": "UA" is no FP32`, "data.features"}},
		"fraction":           {[]bundle.TensorSpec{spec("distance", tensor.Int64, -1, 1)}, nil, []string{`eval.csv:2: column "distance": "1400.5" is no INT64`}},
		"missing integer":    {[]bundle.TensorSpec{spec("temp", tensor.Int32, -1, 1), spec("hour", tensor.Int32, -1, 1)}, nil, []string{`"40.1" is no INT32`}},
		"empty integer":      {[]bundle.TensorSpec{spec("carrier", tensor.Int32, -1, 1)}, nil, []string{`"UA" is no INT32`}},
		"no inputs":          {nil, nil, []string{"has no inputs"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := flightsData
			data.Features = c.features
			_, err := Rows(tableOf(t, flights), bundle.Signature{Inputs: c.inputs}, data, nil)
			for _, text := range c.err {
				require.ErrorContains(t, err, text)
			}
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
	_, err := Rows(tableOf(t, "a,y\n1,0\n,1\n"), bundle.Signature{Inputs: []bundle.TensorSpec{spec("a", tensor.Int32, -1, 1)}}, exam.Data{Label: "y"}, nil)
	assert.ErrorContains(t, err, `eval.csv:3: column "a": "" is no INT32, which the model's input "a" takes: it is a missing value, and only FP32 and FP64 inputs take one`)
	_, err = Rows(tableOf(t, "a,y\n1e39,0\n"), bundle.Signature{Inputs: []bundle.TensorSpec{spec("a", tensor.FP32, -1, 1)}}, exam.Data{Label: "y"}, nil)
	assert.ErrorContains(t, err, "whose largest number is smaller")
}
