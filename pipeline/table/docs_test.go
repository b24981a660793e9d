package table

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/pagetest"
)

const page = "../../docs/data.md"

func TestPageMissing(t *testing.T) {
	t.Parallel()
	for _, row := range pagetest.Table(t, page, "missing") {
		cell := row[0].Values[0]
		assert.True(t, Missing(cell), "%q", cell)
		v, ok := Number(cell)
		assert.True(t, ok && math.IsNaN(v), "%q", cell)
	}
	for _, cell := range []string{"Null", "NAN", "-", "?", `\N`, " NA", "N/a", "none", "NaT"} {
		assert.False(t, Missing(cell), "%q", cell)
	}
}

func TestPageNumbers(t *testing.T) {
	t.Parallel()
	for _, row := range pagetest.Table(t, page, "numbers") {
		cell, want := row[0].Values[0], row[1].Text
		t.Run(cell, func(t *testing.T) {
			t.Parallel()
			v, ok := Number(cell)
			w, too := Number([]byte(cell))
			assert.Equal(t, ok, too)
			assert.Equal(t, math.Float64bits(v), math.Float64bits(w))
			why, refused := strings.CutPrefix(want, "refused")
			switch {
			case refused:
				assert.False(t, ok)
				assert.Contains(t, WhyNoNumber(cell), strings.TrimPrefix(why, ": "))
			case want == "missing":
				assert.True(t, ok && math.IsNaN(v))
			default:
				assert.True(t, ok)
				assert.Equal(t, want, shown(v))
			}
		})
	}
}

func shown(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func TestPageIntegers(t *testing.T) {
	t.Parallel()
	for _, row := range pagetest.Table(t, page, "integers") {
		negative, v, ok := Integer(row[0].Values[0])
		text := strconv.FormatUint(v, 10)
		if negative {
			text = "-" + text
		}
		if !ok || v > math.MaxInt64 {
			text = "refused"
		}
		assert.Equal(t, row[1].Text, text, row[0].Text)
	}
}

func TestPageTruth(t *testing.T) {
	t.Parallel()
	for _, row := range pagetest.Table(t, page, "truth") {
		for _, cell := range row[0].Values {
			text := "refused"
			if v, ok := Bool(cell); ok {
				text = strconv.FormatBool(v)
			}
			assert.Equal(t, row[1].Text, text, cell)
			number := "refused"
			if v, ok := Number(cell); ok {
				number = shown(v)
			} else if v, ok := TrueFalse(cell); ok {
				number = map[bool]string{true: "1", false: "0"}[v]
			}
			assert.Equal(t, row[2].Text, number, cell)
		}
	}
}

// Pandas is asked about each cell: in a column of numbers, and in one of texts.
func TestPageIsTrueOfPandas(t *testing.T) {
	t.Parallel()
	python := os.Getenv("DOSIRAK_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import pandas").CombinedOutput(); err != nil {
		require.NotContains(t, os.Getenv("DOSIRAK_REQUIRE"), "python", "DOSIRAK_REQUIRE names python: %s", out)
		t.Skipf("%s with pandas is not here; name one in DOSIRAK_PYTHON", python)
	}
	cells, numbers := []string{}, pagetest.Table(t, page, "numbers")
	for _, row := range numbers {
		cells = append(cells, row[0].Values[0])
	}
	ask := exec.Command(python, "-c", `
import io, json, math, sys
import pandas as pd
from pandas._libs.parsers import STR_NA_VALUES
answer = {"missing": sorted(STR_NA_VALUES), "number": [], "text": []}
for cell in json.load(sys.stdin):
    quoted = '"' + cell.replace('"', '""') + '"'
    def read(before, after):
        return pd.read_csv(io.StringIO(f"x,y\n{before},a\n{quoted},b\n{after},c\n"))["x"]
    column = read("1.5", "2.5")
    v = column.iloc[1]
    if column.dtype != float:
        answer["number"].append("text")
    else:
        answer["number"].append("missing" if math.isnan(v) else repr(float(v)))
    answer["text"].append(bool(pd.isna(read("p", "q").iloc[1])))
json.dump(answer, sys.stdout)
`)
	text, err := json.Marshal(cells)
	require.NoError(t, err)
	ask.Stdin = strings.NewReader(string(text))
	ask.Stderr = os.Stderr
	out, err := ask.Output()
	require.NoError(t, err)
	var answer struct {
		Missing, Number []string
		Text            []bool
	}
	require.NoError(t, json.Unmarshal(out, &answer))

	var missing []string
	for _, row := range pagetest.Table(t, page, "missing") {
		missing = append(missing, row[0].Values[0])
	}
	assert.ElementsMatch(t, answer.Missing, missing, "pandas' list is the page's")
	for i, row := range numbers {
		got := answer.Number[i]
		if v, err := strconv.ParseFloat(got, 64); err == nil {
			got = shown(v)
		}
		assert.Equal(t, row[2].Text, got, cells[i])
		assert.Equal(t, answer.Text[i], Missing(cells[i]), "%q among texts", cells[i])
	}
}

func TestWhyNoNumber(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"1,234.5": "comma", "1.234,56": "decimal comma", "0,5": "decimal comma", "-3,25": "decimal comma", "1,234,567": "comma", "1'234": "thousands separators",
		"1\u00a0234": "thousands separators", "€5": "currency", "5€": "currency", "1e999": "larger than a 64-bit number", "0X1F": "hexadecimal", "NaT": "missing value",
	} {
		assert.Contains(t, WhyNoNumber(cell), want, cell)
	}
	for _, cell := range []string{"", "far", "12kg", "2013-10-01", "a,b"} {
		assert.Empty(t, WhyNoNumber(cell), cell)
	}
}

// Numbers are strconv's to the last bit, by either path.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"0.1", "123456789012345", "1234567890123456", "-1.5e-7", "999999999999999.9", "1e22", ".5", "0x1p-2", "1_0", "inf", "nan", "+"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		got, ok := Number(cell)
		want, err := strconv.ParseFloat(strings.Trim(cell, " \t"), 64)
		switch {
		case !ok:
			plain := strings.Trim(strings.Trim(cell, " \t"), "0123456789+-.eE") == ""
			require.False(t, plain && err == nil, "%q is %v", cell, want)
		case math.IsNaN(got):
			require.True(t, Missing(strings.Trim(cell, " \t")), "%q", cell)
		default:
			require.NoError(t, err, "%q", cell)
			require.Equal(t, math.Float64bits(want), math.Float64bits(got), "%q", cell)
		}
		if negative, v, whole := Integer(cell); whole {
			require.True(t, ok, "%q", cell)
			back, _ := strconv.ParseFloat(strconv.FormatUint(v, 10), 64)
			if negative {
				back = -back
			}
			require.Equal(t, back, got+0, "%q", cell)
		}
	})
}
