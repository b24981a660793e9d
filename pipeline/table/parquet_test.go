package table

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written is what pyarrow says of a column of a file in testdata.
type written struct {
	Text   []*string `json:"text"`
	Number []any     `json:"number"` // a number, "NaN", "inf" or null
}

// columns is a sink that keeps texts and numbers by column.
type columns struct {
	head    Header
	texts   map[string][]*string
	numbers map[string][]any
}

func (c *columns) Header(h Header) ([]bool, error) {
	c.head, c.texts, c.numbers = h, map[string][]*string{}, map[string][]any{}
	return nil, nil
}

func (c *columns) Record(*Record) error { panic("Parquet has no records") }

func (c *columns) Values(column int, v Values) error {
	name := c.head.Names[column]
	for i := range v.Len() {
		var text *string
		if !v.Null(i) {
			s := string(v.Text(nil, i))
			text = &s
		}
		var number any
		if x, ok := v.Float(i); ok {
			number = x
			switch {
			case math.IsNaN(x):
				number = "NaN"
			case math.IsInf(x, 1):
				number = "inf"
			}
		}
		c.texts[name], c.numbers[name] = append(c.texts[name], text), append(c.numbers[name], number)
	}
	return nil
}

// Every file that pyarrow wrote is read as pyarrow says, column by column: each
// logical type in each form that it is kept in.
func TestParquetIsReadAsPyarrowWroteIt(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.parquet")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(strings.TrimSuffix(file, ".parquet") + ".json")
			require.NoError(t, err)
			var want map[string]written
			require.NoError(t, json.Unmarshal(text, &want))
			got := &columns{}
			info, err := Read(t.Context(), file, Options{}, got)
			require.NoError(t, err)
			assert.Len(t, got.head.Names, len(want))
			for name, column := range want {
				assert.Equal(t, column.Text, got.texts[name], "%s as text", name)
				assert.Equal(t, column.Number, got.numbers[name], "%s as numbers", name)
			}
			assert.Equal(t, file+": row 3", info.Place(file, 2))
		})
	}
}

func TestParquetNestedColumnsAreNoColumns(t *testing.T) {
	t.Parallel()
	got := &columns{}
	_, err := Read(t.Context(), "testdata/nested.parquet", Options{}, got)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, got.head.Names)
	assert.Equal(t, map[string]string{"list": "a list", "struct": "a struct", "map": "a map"}, got.head.Nested)
}

// A column that nobody wants is not read, whatever is in it.
func TestParquetReadsWhatIsWanted(t *testing.T) {
	t.Parallel()
	got := &picky{want: "u8"}
	_, err := Read(t.Context(), "testdata/integers.parquet", Options{}, got)
	require.NoError(t, err)
	assert.Equal(t, []string{"0", "255", "-"}, got.texts)
}

type picky struct {
	want  string
	texts []string
}

func (p *picky) Header(h Header) ([]bool, error) {
	wanted := make([]bool, len(h.Names))
	for i, name := range h.Names {
		wanted[i] = name == p.want
	}
	return wanted, nil
}

func (p *picky) Record(*Record) error { return nil }

func (p *picky) Values(_ int, v Values) error {
	for i := range v.Len() {
		if v.Null(i) {
			p.texts = append(p.texts, "-")
			continue
		}
		p.texts = append(p.texts, string(v.Text(nil, i)))
	}
	return nil
}

func TestParquetThatIsDamaged(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile("testdata/texts.parquet")
	require.NoError(t, err)
	for at := 4; at < len(whole); at += 7 {
		broken := append([]byte{}, whole...)
		broken[at] ^= 0xff
		// Read or refused, never a panic.
		_, _ = ReadFrom(t.Context(), strings.NewReader(string(broken)), int64(len(broken)), "x.parquet", Options{}, &columns{})
	}
	_, err = ReadFrom(t.Context(), strings.NewReader(string(whole[:len(whole)-20])), int64(len(whole)-20), "x.parquet", Options{}, &columns{})
	require.ErrorContains(t, err, "it is no whole Parquet file")
}
