package evaluate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func inputs(specs ...bundle.TensorSpec) bundle.Signature { return bundle.Signature{Inputs: specs} }

func reading(s bundle.TensorSpec, columns ...string) bundle.TensorSpec {
	s.Columns = columns
	return s
}

// A model that takes its columns by their place gets them in the order that it
// was trained on, or is not asked at all.
func TestCheckOrder(t *testing.T) {
	t.Parallel()
	matrix := inputs(spec("x", tensor.FP32, -1, 2))
	for _, c := range []struct {
		name, train, asked string
		of                 bundle.Signature
		features           []string
		refused            string
	}{
		{"the same", "a,b,y", "a,b,y", matrix, nil, ""},
		{"another order", "a,b,y", "b,a,y", matrix, nil, `the 1. one is "a" in `},
		{"the label moved, ids came", "a,b,y", "id,y,a,b", matrix, nil, ""},
		{"the order is said", "a,b,y", "b,a,y", matrix, []string{"a", "b"}, ""},
		{"an input for each column", "a,b,y", "b,a,y", inputs(spec("a", tensor.FP32, -1, 1), spec("b", tensor.FP32, -1, 1)), nil, ""},
		{"one column by its name", "a,b,y", "b,a,y", inputs(spec("a", tensor.FP32, -1, 1)), nil, ""},
		{"any width", "a,b,y", "b,a,y", inputs(spec("x", tensor.FP32, -1, -1)), nil, `the 1. one is "a" in `},
		{"a column that the trainer left out", "a,b,split,y", "a,b,y", matrix, nil, ""},
		{"another column in the place of one", "a,b,y", "a,c,y", matrix, nil, `"c" of `},
		{"a column with another name", "age,size,y", "age,sise,y", matrix, nil, `did you mean "size"?`},
		{"recorded", "a,b,y", "b,a,y", inputs(reading(spec("x", tensor.FP32, -1, 2), "a", "b")), nil, ""},
	} {
		err := CheckOrder(tableOf(t, c.train+"\n"), tableOf(t, c.asked+"\n"), c.of, exam.Data{Label: "y", ID: "id", Features: c.features})
		if c.refused == "" {
			assert.NoError(t, err, c.name)
			continue
		}
		require.ErrorContains(t, err, "data.features", c.name)
		assert.ErrorContains(t, err, c.refused, c.name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), c.name)
	}
}

// What was recorded by one table asks any other, in whatever order it is and
// whatever else it has.
func TestRecord(t *testing.T) {
	t.Parallel()
	data := exam.Data{Label: "y", ID: "id"}
	was, is := tableOf(t, "id,a,b c,y\n1,2,3,0\n"), tableOf(t, "b c,new,y,id,a\n3,9,0,1,2\n")
	for name, c := range map[string]struct {
		of   bundle.Signature
		want [][]string
	}{
		"a matrix":       {inputs(spec("x", tensor.FP32, -1, 2)), [][]string{{"a", "b c"}}},
		"of any width":   {inputs(spec("x", tensor.FP32, -1, -1)), [][]string{{"a", "b c"}}},
		"named":          {inputs(spec("b c", tensor.FP32, -1, 1), spec("a", tensor.FP32, -1)), [][]string{{"b c"}, {"a"}}},
		"an exporter's":  {inputs(spec("a", tensor.FP32, -1, 1), spec("b_c", tensor.FP32, -1, 1)), [][]string{{"a"}, {"b c"}}},
		"one exporter's": {inputs(spec("b_c", tensor.FP32, -1, 1)), [][]string{{"b c"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Record(was, c.of, data)
			require.NoError(t, err)
			want, err := Rows(was, c.of, data, nil)
			require.NoError(t, err)
			for i := range c.want {
				assert.Equal(t, c.want[i], got.Inputs[i].Columns)
			}
			there, err := Rows(is, got, exam.Data{Label: "y", ID: "id", Features: []string{"new"}}, nil)
			require.NoError(t, err)
			assert.Equal(t, want, there)
			again, err := Record(is, got, data)
			require.NoError(t, err)
			assert.Equal(t, got, again)
		})
	}
	of, err := Record(was, inputs(spec("x", tensor.FP32, -1, 2)), data)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b c"}, Places(of))
	named, err := Record(was, inputs(spec("b_c", tensor.FP32, -1, 1)), data)
	require.NoError(t, err)
	assert.Nil(t, Places(named))
	assert.Nil(t, Places(inputs(spec("x", tensor.FP32, -1, 2))))

	_, err = Rows(tableOf(t, "a,bc,y\n1,2,0\n"), of, data, nil)
	require.ErrorContains(t, err, `it was sealed to read the column "b c" (did you mean "bc"?), which is not there`)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	_, err = Rows(was, of, exam.Data{Label: "a"}, nil)
	assert.ErrorContains(t, err, `reads the column "a", which is the label here`)
}

// A bundle that records no columns is asked by those of the table that it was
// judged on, whatever today's table has.
func TestPlacesIn(t *testing.T) {
	t.Parallel()
	judged := tableOf(t, "id,a,b,y\n1,2,3,0\n")
	data := exam.Data{Label: "y", ID: "id"}
	old := inputs(spec("x", tensor.FP32, -1, 2))
	for name, c := range map[string]struct {
		of   bundle.Signature
		data exam.Data
		want []string
	}{
		"by the header":     {old, data, []string{"a", "b"}},
		"by data.features":  {old, exam.Data{Label: "y", Features: []string{"b", "a"}}, []string{"b", "a"}},
		"of any width":      {inputs(spec("x", tensor.FP32, -1, -1)), data, []string{"a", "b"}},
		"of another width":  {inputs(spec("x", tensor.FP32, -1, 3)), data, nil},
		"its columns named": {inputs(spec("a", tensor.FP32, -1, 1), spec("b", tensor.FP32, -1, 1)), data, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, PlacesIn(judged, c.of, c.data))
		})
	}
	recorded, err := Record(judged, old, data)
	require.NoError(t, err)
	assert.Nil(t, PlacesIn(judged, recorded, data), "the bundle says it")

	want, err := Rows(judged, old, data, nil)
	require.NoError(t, err)
	for _, text := range []string{"id,a,b,new,y\n1,2,3,9,0\n", "id,new,b,a,y\n1,9,3,2,0\n", "id,b,a,y\n1,3,2,0\n"} {
		today := data
		today.Features = PlacesIn(judged, old, data)
		got, err := Rows(tableOf(t, text), old, today, nil)
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
}

// A name that is the same but for what exporters replace is taken where one
// column has it and no other input.
func TestNamesOfExporters(t *testing.T) {
	t.Parallel()
	two := inputs(spec("a_b", tensor.FP32, -1, 1), spec("c", tensor.FP32, -1, 1))
	for _, c := range []struct {
		name, header string
		of           bundle.Signature
		want         string
	}{
		{"spaces", "a b,c,y", two, ""},
		{"a dot and a bracket", "a(b,c,y", two, ""},
		{"itself wins", "a_b,a b,c,y", two, ""},
		{"two columns", "a b,a.b,c,y", two, `no column for its input "a_b"`},
		{"two inputs", "a b,c,y", inputs(spec("a_b", tensor.FP32, -1, 1), spec("a-b", tensor.FP32, -1, 1)), "no column for its inputs"},
		{"the label", "c,a b", two, `takes the label "a b" as an input, "a_b"`},
	} {
		label := c.header[len(c.header)-1:]
		if label == "b" {
			label = "a b"
		}
		_, err := Rows(tableOf(t, c.header+"\n"), c.of, exam.Data{Label: label}, nil)
		if c.want == "" {
			assert.NoError(t, err, c.name)
			continue
		}
		assert.ErrorContains(t, err, c.want, c.name)
	}
}
