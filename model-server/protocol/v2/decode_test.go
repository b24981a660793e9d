package v2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func input(datatype, shape, data string) string {
	return fmt.Sprintf(`{"inputs":[{"name":"x","datatype":%q,"shape":%s,"data":%s}]}`, datatype, shape, data)
}

func TestDecodeRequest(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, c := range map[string]struct {
		body string
		want tensor.Tensor
	}{
		"flat":              {input("FP32", "[2,2]", "[1,2.5,-3e2,0.1]"), tensor.Tensor{Datatype: tensor.FP32, Shape: []int64{2, 2}, F32: []float32{1, 2.5, -300, 0.1}}},
		"nested":            {input("FP32", "[2,2]", "[[1,2],[3,4]]"), tensor.Tensor{Datatype: tensor.FP32, Shape: []int64{2, 2}, F32: []float32{1, 2, 3, 4}}},
		"nested thrice":     {input("INT8", "[1,2,1]", " [ [ [-128] , [127] ] ] "), tensor.Tensor{Datatype: tensor.Int8, Shape: []int64{1, 2, 1}, I64: []int64{-128, 127}}},
		"scalar":            {input("FP64", "[]", "[7]"), tensor.Tensor{Datatype: tensor.FP64, Shape: []int64{}, F64: []float64{7}}},
		"empty":             {input("FP64", "[0,3]", "[]"), tensor.Tensor{Datatype: tensor.FP64, Shape: []int64{0, 3}, F64: []float64{}}},
		"empty nested":      {input("FP64", "[2,0]", "[[],[]]"), tensor.Tensor{Datatype: tensor.FP64, Shape: []int64{2, 0}, F64: []float64{}}},
		"not a number":      {input("FP64", "[5]", `["NaN",NaN,"Infinity",-Infinity,"-Inf"]`), tensor.Tensor{Datatype: tensor.FP64, Shape: []int64{5}, F64: []float64{nan, nan, math.Inf(1), math.Inf(-1), math.Inf(-1)}}},
		"missing":           {input("FP64", "[3]", `[null,1, null ]`), tensor.Tensor{Datatype: tensor.FP64, Shape: []int64{3}, F64: []float64{nan, 1, nan}}},
		"missing nested":    {input("FP32", "[2,1]", `[[null],[1]]`), tensor.Tensor{Datatype: tensor.FP32, Shape: []int64{2, 1}, F32: []float32{float32(nan), 1}}},
		"negative zero":     {input("FP64", "[1]", "[-0.0]"), tensor.Tensor{Datatype: tensor.FP64, Shape: []int64{1}, F64: []float64{math.Copysign(0, -1)}}},
		"integers":          {input("INT64", "[2]", "[-9223372036854775808,9223372036854775807]"), tensor.Tensor{Datatype: tensor.Int64, Shape: []int64{2}, I64: []int64{math.MinInt64, math.MaxInt64}}},
		"unsigned":          {input("UINT64", "[3]", "[18446744073709551615,0,-0]"), tensor.Tensor{Datatype: tensor.Uint64, Shape: []int64{3}, U64: []uint64{math.MaxUint64, 0, 0}}},
		"narrow unsigned":   {input("UINT8", "[1]", "[255]"), tensor.Tensor{Datatype: tensor.Uint8, Shape: []int64{1}, U64: []uint64{255}}},
		"booleans":          {input("BOOL", "[2]", "[true,false]"), tensor.Tensor{Datatype: tensor.Bool, Shape: []int64{2}, Bools: []bool{true, false}}},
		"text":              {input("BYTES", "[4]", `["","한글","a\"\\\/\b\f\n\r\té","\uD83D\uDE00"]`), tensor.Tensor{Datatype: tensor.Bytes, Shape: []int64{4}, Strs: []string{"", "한글", "a\"\\/\b\f\n\r\té", "😀"}}},
		"data first":        {`{"inputs":[{"data":[[1],[2]],"name":"x","shape":[2,1],"datatype":"INT16"}]}`, tensor.Tensor{Datatype: tensor.Int16, Shape: []int64{2, 1}, I64: []int64{1, 2}}},
		"data in between":   {`{"inputs":[{"datatype":"INT16","data":[1],"shape":[1],"name":"x"}]}`, tensor.Tensor{Datatype: tensor.Int16, Shape: []int64{1}, I64: []int64{1}}},
		"unknown keys":      {`{"a":{"b":[1,"c",null,true,{"d":NaN}]},"inputs":[{"name":"x","datatype":"INT16","shape":[1],"parameters":{"p":1},"more":[],"data":[1]}],"parameters":{}}`, tensor.Tensor{Datatype: tensor.Int16, Shape: []int64{1}, I64: []int64{1}}},
		"escaped key":       {`{"\u0069nputs":[{"name":"x","datatype":"INT16","shape":[1],"data":[1]}]}`, tensor.Tensor{Datatype: tensor.Int16, Shape: []int64{1}, I64: []int64{1}}},
		"white space":       {"\r\n\t {\"inputs\" : [ {\"name\" : \"x\", \"datatype\" : \"INT16\" , \"shape\" : [ 1 ] , \"data\" : [ 1 ] } ] } \n", tensor.Tensor{Datatype: tensor.Int16, Shape: []int64{1}, I64: []int64{1}}},
		"smallest":          {input("FP64", "[2]", "[5e-324,1e-400]"), tensor.Tensor{Datatype: tensor.FP64, Shape: []int64{2}, F64: []float64{5e-324, 0}}},
		"halfway in single": {input("FP32", "[1]", "[16777217.0000000001]"), tensor.Tensor{Datatype: tensor.FP32, Shape: []int64{1}, F32: []float32{16777218}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeRequest([]byte(c.body), Limits{})
			require.NoError(t, err)
			require.Len(t, got.Inputs, 1)
			c.want.Name = "x"
			require.NoError(t, got.Inputs[0].Check())
			assertSame(t, c.want, got.Inputs[0])
		})
	}
}

// assertSame compares bits: a NaN equals a NaN, -0 does not equal 0.
func assertSame(t *testing.T, want, got tensor.Tensor) {
	t.Helper()
	require.Equal(t, want.Datatype, got.Datatype)
	require.Equal(t, want.Shape, got.Shape)
	require.Equal(t, want.Len(), got.Len())
	for i := range want.Len() {
		switch w := want.At(i).(type) {
		case float32:
			g := got.F32[i]
			assert.True(t, math.Float32bits(w) == math.Float32bits(g) || w != w && g != g, "element %d: want %v, got %v", i, w, g)
		case float64:
			g := got.F64[i]
			assert.True(t, math.Float64bits(w) == math.Float64bits(g) || w != w && g != g, "element %d: want %v, got %v", i, w, g)
		default:
			assert.Equal(t, w, got.At(i), "element %d", i)
		}
	}
}

func TestDecodeRequestRest(t *testing.T) {
	t.Parallel()
	got, err := DecodeRequest([]byte(`{"id":"a b","outputs":[{"name":"p","parameters":{"binary_data":false}},{"name":"q"}],"inputs":[]}`), Limits{})
	require.NoError(t, err)
	assert.Equal(t, &Request{ID: "a b", Outputs: []string{"p", "q"}}, got)
	got, err = DecodeRequest([]byte(`{"id":null,"outputs":[],"inputs":[]}`), Limits{})
	require.NoError(t, err)
	assert.Equal(t, &Request{}, got)
}

func TestDecodeRequestRefuses(t *testing.T) {
	t.Parallel()
	many := strings.Repeat
	for name, c := range map[string]struct{ body, err string }{
		"nothing":             {"", "byte 0: expected '{' at the start of the request, found the end"},
		"an array":            {"[]", "expected '{'"},
		"cut":                 {`{"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[1,`, "expected a value in the data, found the end"},
		"cut in a string":     {`{"inputs":[{"name":"x`, "a string does not end"},
		"after":               {`{"inputs":[]} x`, "something after the request"},
		"no inputs":           {`{}`, `no "inputs"`},
		"inputs object":       {`{"inputs":{}}`, `"inputs" must be an array`},
		"input number":        {`{"inputs":[1]}`, "inputs[0] must be an object"},
		"trailing comma":      {`{"inputs":[],}`, "expected a key"},
		"no name":             {`{"inputs":[{"datatype":"FP32","shape":[1],"data":[1]}]}`, "inputs[0] has no name"},
		"name number":         {`{"inputs":[{"name":1}]}`, `"name" must be a string`},
		"long name":           {`{"inputs":[{"name":"` + many("n", 2000) + `"}]}`, "2000 bytes, at most 1024"},
		"no datatype":         {`{"inputs":[{"name":"x","shape":[1],"data":[1]}]}`, `input "x" has no datatype`},
		"unknown datatype":    {input("FP16", "[1]", "[1]"), `input "x": the datatype "FP16" is not known`},
		"no shape":            {`{"inputs":[{"name":"x","datatype":"FP32","data":[1]}]}`, `input "x" has no shape`},
		"no data":             {`{"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]}`, `input "x" has no data`},
		"binary":              {`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}`, "binary_data=False"},
		"data twice":          {`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1],"data":[2]}]}`, `"data" is there twice`},
		"inputs twice":        {`{"inputs":[],"inputs":[]}`, `"inputs" is there twice`},
		"shape text":          {input("FP32", `"1"`, "[1]"), "shape must be an array"},
		"shape of text":       {input("FP32", `["1"]`, "[1]"), "shape[0] must be an integer"},
		"shape fraction":      {input("FP32", "[1.0]", "[1]"), "shape[0] must be an integer"},
		"shape infinite":      {input("FP32", "[-Infinity]", "[1]"), "shape[0] must be an integer"},
		"shape negative":      {input("FP32", "[-1]", "[1]"), "shape[0] is negative"},
		"shape huge":          {input("FP32", "[99999999999999999999]", "[1]"), "shape[0] is more than"},
		"shape product":       {input("FP32", "[4096,4096,4096]", "[1]"), "more than 16777216 elements"},
		"shape deep":          {input("FP32", "["+many("1,", 16)+"1]", "[1]"), "more than 16 dimensions"},
		"too few":             {input("FP32", "[2,2]", "[1,2,3]"), "the data has 3 elements, its shape [2 2] says 4"},
		"too many":            {input("FP32", "[2]", "[1,2,3]"), "more than 2 elements"},
		"none":                {input("FP32", "[2]", "[]"), "the data has 0 elements, its shape [2] says 2"},
		"ragged":              {input("FP32", "[2,2]", "[[1,2],[3]]"), "an array of 1 elements where its shape [2 2] says 2"},
		"ragged long":         {input("FP32", "[2,2]", "[[1,2],[3,4,5]]"), "an array of more than 2 elements"},
		"half nested":         {input("FP32", "[2,2]", "[[1,2],3,4]"), "neither flat nor nested"},
		"half flat":           {input("FP32", "[2,2]", "[1,2,[3,4]]"), "neither flat nor nested"},
		"nested flat":         {input("FP32", "[2]", "[[1],[2]]"), "neither flat nor nested"},
		"data scalar":         {input("FP32", "[1]", "1"), "data must be an array"},
		"null integer":        {input("INT64", "[1]", "[null]"), `data[0]: "null" is no INT64`},
		"null unsigned":       {input("UINT8", "[1]", "[null]"), `data[0]: "null" is no UINT8`},
		"null boolean":        {input("BOOL", "[1]", "[null]"), `data[0]: "null" is no BOOL`},
		"null text":           {input("BYTES", "[1]", "[null]"), `data[0]: "null" is no BYTES`},
		"nil":                 {input("FP32", "[1]", "[nil]"), `data[0]: "nil" is no FP32`},
		"text for a number":   {input("FP32", "[1]", `["abc"]`), `data[0]: the string "abc" is no FP32`},
		"out of FP32":         {input("FP32", "[1]", "[3.5e38]"), `"3.5e38" is no FP32`},
		"out of FP32 exactly": {input("FP32", "[1]", "[1e39]"), `"1e39" is no FP32`},
		"out of FP64":         {input("FP64", "[1]", "[1e309]"), `"1e309" is no FP64`},
		"fraction":            {input("INT32", "[1]", "[1.5]"), `"1.5" is no INT32`},
		"exponent":            {input("INT32", "[1]", "[1e2]"), `"1e2" is no INT32`},
		"out of INT8":         {input("INT8", "[1]", "[128]"), `"128" is no INT8; expected an integer from -128 to 127`},
		"out of INT64":        {input("INT64", "[1]", "[9223372036854775808]"), "is no INT64"},
		"out of UINT64":       {input("UINT64", "[1]", "[18446744073709551616]"), "is no UINT64"},
		"out of all":          {input("UINT64", "[1]", "["+many("9", 60)+"]"), "is no UINT64"},
		"negative unsigned":   {input("UINT8", "[1]", "[-1]"), `"-1" is no UINT8`},
		"number for BOOL":     {input("BOOL", "[1]", "[1]"), "expected true or false"},
		"truth":               {input("BOOL", "[1]", "[truth]"), "is no BOOL"},
		"number for BYTES":    {input("BYTES", "[1]", "[1]"), "expected a string"},
		"leading zero":        {input("INT8", "[1]", "[01]"), "expected a number"},
		"plus":                {input("INT8", "[1]", "[+1]"), "is no INT8"},
		"bare point":          {input("FP32", "[1]", "[1.]"), "a digit after its point"},
		"bare exponent":       {input("FP32", "[1]", "[1e]"), "a digit in its exponent"},
		"half a surrogate":    {input("BYTES", "[1]", `["\ud800"]`), "no character"},
		"two halves":          {input("BYTES", "[1]", `["\ud800\ud800"]`), "no character"},
		"bad escape":          {input("BYTES", "[1]", `["\x"]`), "unknown escape"},
		"short escape":        {input("BYTES", "[1]", `["\u12"]`), "no character"},
		"control character":   {input("BYTES", "[1]", "[\"a\nb\"]"), "control character"},
		"not UTF-8":           {input("BYTES", "[1]", "[\"\xff\"]"), "not valid UTF-8"},
		"outputs text":        {`{"inputs":[],"outputs":["p"]}`, "outputs[0] must be an object"},
		"output without name": {`{"inputs":[],"outputs":[{}]}`, "outputs[0] has no name"},
		"deep":                {`{"x":` + many("[", 100_000) + `}`, "more than 64 levels"},
		"deep parameters":     {`{"inputs":[{"parameters":{"x":` + many(`{"a":`, 100) + `}}]}`, "more than 64 levels"},
		"many inputs":         {`{"inputs":[` + many(input("BOOL", "[0]", "[]")[11:len(input("BOOL", "[0]", "[]"))-2]+",", 4097) + `]}`, "more than 4096 tensors"},
		"together":            {`{"inputs":[` + `{"name":"x","datatype":"BOOL","shape":[0,5],"data":[]},{"name":"y","datatype":"BOOL","shape":[16777216],"data":[]}` + `]}`, "says 16777216"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeRequest([]byte(c.body), Limits{})
			require.ErrorContains(t, err, c.err)
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, http.StatusBadRequest, e.Status)
			assert.Less(t, len(e.Message), 300, "a message quotes little of the body")
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	limits := Limits{Body: 200, Elements: 3}
	_, err := DecodeRequest([]byte(strings.Repeat(" ", 201)), limits)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, http.StatusRequestEntityTooLarge, e.Status)
	two := `{"name":"x","datatype":"INT8","shape":[2],"data":[1,2]}`
	_, err = DecodeRequest([]byte(`{"inputs":[`+two+`,`+two+`]}`), limits)
	assert.ErrorContains(t, err, "more than 3 elements together")
}

// A shape that only claims elements must not make room for them.
func TestClaimsAllocateNothing(t *testing.T) {
	t.Parallel()
	body := []byte(input("FP64", "[4096,4096]", "[1]"))
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := DecodeRequest(body, Limits{})
			assert.Error(b, err)
		}
	})
	assert.Less(t, result.AllocedBytesPerOp(), int64(10_000))
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	tensors := []tensor.Tensor{
		{Name: "f", Datatype: tensor.FP32, Shape: []int64{7}, F32: []float32{0.1, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32}},
		{Name: "d", Datatype: tensor.FP64, Shape: []int64{2, 2}, F64: []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, 1e6, -123456.789}},
		{Name: "i", Datatype: tensor.Int64, Shape: []int64{2}, I64: []int64{math.MinInt64, math.MaxInt64}},
		{Name: "u", Datatype: tensor.Uint64, Shape: []int64{1}, U64: []uint64{math.MaxUint64}},
		{Name: "b", Datatype: tensor.Bool, Shape: []int64{2}, Bools: []bool{true, false}},
		{Name: "s\"\n", Datatype: tensor.Bytes, Shape: []int64{3}, Strs: []string{"", "\x00\"\\\u2028", "도시락"}},
		{Name: "none", Datatype: tensor.Bytes, Shape: []int64{0}, Strs: []string{}},
	}
	body, err := AppendRequest(nil, &Request{ID: "q\\", Inputs: tensors, Outputs: []string{"p"}})
	require.NoError(t, err)
	require.True(t, json.Valid(body), "%s", body)
	request, err := DecodeRequest(body, Limits{})
	require.NoError(t, err)
	assert.Equal(t, "q\\", request.ID)
	assert.Equal(t, []string{"p"}, request.Outputs)
	body, err = AppendResponse(nil, &Response{Model: "m", Version: "1", ID: "r", Outputs: tensors})
	require.NoError(t, err)
	require.True(t, json.Valid(body), "%s", body)
	response, err := DecodeResponse(body, Limits{})
	require.NoError(t, err)
	assert.Equal(t, []string{"m", "1", "r"}, []string{response.Model, response.Version, response.ID})
	for i := range tensors {
		assert.Equal(t, tensors[i].Name, request.Inputs[i].Name)
		assertSame(t, tensors[i], request.Inputs[i])
		assertSame(t, tensors[i], response.Outputs[i])
	}
	_, err = AppendRequest(nil, &Request{Inputs: []tensor.Tensor{{Name: "x", Datatype: tensor.Bytes, Shape: []int64{1}, Strs: []string{"\xff"}}}})
	assert.ErrorContains(t, err, `"x" element 0 is not valid UTF-8`)
	_, err = AppendRequest(nil, &Request{Inputs: []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{2}}}})
	assert.ErrorContains(t, err, "its shape [2] needs 2")
}

// FuzzDecodeRequest holds the decoder against encoding/json: what it accepts
// is JSON (with Python's words for NaN and infinity), its numbers are those
// that strconv reads, and what it writes again reads as the same.
func FuzzDecodeRequest(f *testing.F) {
	for _, seed := range []string{
		input("FP32", "[2,2]", "[[1,2],[3,4e-3]]"), input("BYTES", "[2]", `["a\u00e9","\ud83d\ude00"]`),
		input("INT64", "[1]", "[-9223372036854775808]"), input("FP64", "[3]", `["NaN",NaN,-Infinity]`),
		`{"inputs":[{"data":[true],"shape":[1],"datatype":"BOOL","name":"b","parameters":{"x":[{}]}}],"id":"7","outputs":[{"name":"o"}]}`,
		input("UINT64", "[1,1,1]", "[[[18446744073709551615]]]"), input("FP64", "[2]", "[0.1e-30,123456789012345678901234567890]"),
	} {
		f.Add([]byte(seed))
	}
	limits := Limits{Elements: 1 << 12}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := DecodeRequest(body, limits)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.True(t, e.Status >= 400 && e.Status < 500)
			return
		}
		plain := !bytes.Contains(body, []byte("NaN")) && !bytes.Contains(body, []byte("Infinity"))
		if plain {
			require.True(t, json.Valid(body), "accepted what is no JSON: %q", body)
			compareWithStandard(t, body, r)
		}
		again, err := AppendRequest(nil, r)
		require.NoError(t, err)
		back, err := DecodeRequest(again, limits)
		require.NoError(t, err, "%s", again)
		require.Len(t, back.Inputs, len(r.Inputs))
		for i := range r.Inputs {
			assertSame(t, r.Inputs[i], back.Inputs[i])
		}
	})
}

func compareWithStandard(t *testing.T, body []byte, r *Request) {
	t.Helper()
	var standard struct {
		Inputs []struct {
			Data any `json:"data"`
		} `json:"inputs"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	// Keys are matched there without regard to case: such bodies are not compared.
	if d.Decode(&standard) != nil || len(standard.Inputs) != len(r.Inputs) {
		return
	}
	for i := range standard.Inputs {
		flat := flatten(nil, standard.Inputs[i].Data)
		if len(flat) != r.Inputs[i].Len() {
			continue
		}
		for j, v := range flat {
			number, ok := v.(json.Number)
			switch got := r.Inputs[i].At(j).(type) {
			case float32:
				if want, err := strconv.ParseFloat(string(number), 32); ok && err == nil {
					assert.Equal(t, math.Float32bits(float32(want)), math.Float32bits(got))
				}
			case float64:
				if want, err := strconv.ParseFloat(string(number), 64); ok && err == nil {
					assert.Equal(t, math.Float64bits(want), math.Float64bits(got))
				}
			case int64:
				assert.Equal(t, fmt.Sprint(got), strings.Replace(string(number), "-0", "0", 1))
			case string:
				assert.Equal(t, v, got)
			}
		}
	}
}

func flatten(out []any, v any) []any {
	list, ok := v.([]any)
	if !ok {
		return append(out, v)
	}
	for _, item := range list {
		out = flatten(out, item)
	}
	return out
}
