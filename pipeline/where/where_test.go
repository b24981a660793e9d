package where_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/where"
)

// cells is a column of texts; the fake of a table's column.
type cells []string

func (c cells) At(i int) string { return c[i] }

func (c cells) Float(i int) (float64, bool) {
	v, err := strconv.ParseFloat(c[i], 64)
	return v, err == nil
}

var table = map[string]cells{
	"distance": {"2475", "96", "1500", "", "NaN", "long"},
	"origin":   {"JFK", "LGA", "LGA", "EWR", "", "O'Hare"},
	"dep time": {"1", "2", "3", "4", "5", "6"},
	"day":      {"2013-01-09", "2013-01-10", "2013-02-01", "2013-10-01", "2013-11-01", ""},
	"and":      {"x", "y", "x", "y", "x", "y"},
	"Größe":    {"1e3", "-2.5", "+.5", "0", "7", "8"},
}

func columns(name string) (where.Column, error) {
	c, ok := table[name]
	if !ok {
		return nil, fmt.Errorf("no column %q", name)
	}
	return c, nil
}

func TestEval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression string
		want       string // one digit a row
	}{
		{"distance > 1500", "100000"},
		{"distance >= 1500", "101000"},
		{"distance < 1500", "010000"},
		{"distance <= 1500", "011000"},
		{"distance = 1500", "001000"},
		{"distance == 1500.0", "001000"},
		{"distance != 1500", "110111"}, // the opposite of =: no number is not 1500
		{"not distance > 1500", "011111"},
		{"distance > 1500 and origin != 'LGA'", "100000"},
		{"distance > 1500 or origin = 'EWR'", "100100"},
		{"origin = 'LGA' or origin = 'JFK' and distance < 0", "011000"}, // and binds closer
		{"(origin = 'LGA' or origin = 'JFK') and distance < 1000", "010000"},
		{"origin in ('JFK', 'EWR')", "100100"},
		{"origin IN (\"JFK\")", "100000"},
		{"origin not in ('JFK', 'EWR')", "011011"},
		{"distance in (96, 'long', '')", "010101"},
		{"distance in (96, 1500, 7)", "011000"},
		{"distance = ''", "000100"},
		{"origin = 'O''Hare'", "000001"},
		{"origin = \"O'Hare\"", "000001"},
		{"`dep time` >= 4", "000111"},
		{"day >= '2013-02-01'", "001110"},
		{"day < '2013-02-01'", "110001"}, // an empty cell is the text ''
		{"day > '2013-10-01' and day <= '2013-11-01'", "000010"},
		{"`and` = 'x' AND NOT `and` = 'y'", "101010"},
		{"Größe > 0", "101011"},
		{"Größe in (-2.5, 1000)", "110000"},
		{"not (not (distance > 1500))", "100000"},
	} {
		e, err := where.Parse(c.expression)
		if !assert.NoError(t, err, c.expression) {
			continue
		}
		got, err := e.Eval(6, columns)
		require.NoError(t, err, c.expression)
		assert.Equal(t, c.want, digits(got), c.expression)
		assert.Equal(t, c.expression, e.String())
	}
}

func digits(bs []bool) string {
	var b strings.Builder
	for _, v := range bs {
		b.WriteByte(map[bool]byte{true: '1', false: '0'}[v])
	}
	return b.String()
}

func TestColumns(t *testing.T) {
	t.Parallel()
	e, err := where.Parse("b > 1 and (a = 2 or b in (3)) and not `c d` = ''")
	require.NoError(t, err)
	assert.Equal(t, []string{"b", "a", "c d"}, e.Columns())
	_, err = e.Eval(1, columns)
	assert.EqualError(t, err, `no column "b"`)
}

func TestEvalOfNoRows(t *testing.T) {
	t.Parallel()
	e, err := where.Parse("not distance > 1")
	require.NoError(t, err)
	got, err := e.Eval(0, columns)
	require.NoError(t, err)
	assert.Empty(t, got)
	_, err = e.Eval(-1, columns)
	assert.Error(t, err)
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, want string }{
		{"", `column 1: the expression is empty`},
		{"   ", `column 1: the expression is empty`},
		{"distance", `column 9: a comparison such as = or in is expected after "distance", not the end`},
		{"distance >", `column 11: a number or a text is expected, not the end`},
		{"distance > long", `column 12: a number or a text is expected, not the name "long"; a text stands in quotes: 'long'`},
		{"1500 < distance", `column 1: a column is expected, not the number 1500; write the column first`},
		{"'origin' = 'LGA'", `column 1: a column is expected, not the text 'origin'; write the column first`},
		{"origin = 'LGA", `column 10: the quote ' is never closed`},
		{"origin <> 'LGA'", `column 8: "<>" is no comparison; write !=`},
		{"a = 1 && b = 2", `column 7: "&&" is no comparison; write and`},
		{"a = 1 || b = 2", `column 7: "||" is no comparison; write or`},
		{"a =< 1", `column 3: "=<" is no comparison; write <=`},
		{"a = 1 b = 2", `column 7: the name "b" follows a complete expression; join conditions by and or or`},
		{"a > 1 < 2", `column 7: "<" follows a complete expression; compare one column with one value`},
		{"a = 1)", `column 6: ")" follows a complete expression; this parenthesis was never opened`},
		{"(a = 1", `column 7: a closing parenthesis is missing before the end (opened at column 1)`},
		{"len(a) > 1", `column 1: len( looks like a call; there are no calls`},
		{"a in 1", `column 6: a list in parentheses is expected after in, not the number 1`},
		{"a in ()", `column 7: a number or a text is expected, not ")"`},
		{"a in (1 2)", `column 9: a comma or a closing parenthesis is expected in the list, not the number 2`},
		{"a is null", `column 3: a comparison such as = or in is expected after "a", not the name "is"; write = '' for an empty cell`},
		{"a between 1 and 2", `write comparisons joined by and`},
		{"dep time = 1", "a column whose name has a space is written in backquotes: `dep time`"},
		{"a = 0x10", `column 5: "0x10" is no finite decimal number`},
		{"a = 1_000", `column 5: "1_000" is no finite decimal number`},
		{"a = 1e999", `column 5: "1e999" is no finite decimal number`},
		{"a = -", `column 5: "-" is no finite decimal number`},
		{"größe = $", `column 9: '$' has no meaning here`},
		{"`` = 1", `column 1: the name of the column is empty`},
		{"and = 1", `column 1: a column is expected, not "and"`},
		{"a = \xff", `column 1: the expression is not valid UTF-8`},
		{strings.Repeat("(", 60) + "a = 1" + strings.Repeat(")", 60), `column 51: more than 50 parentheses and nots inside each other`},
		{strings.Repeat("not ", 60) + "a = 1", `more than 50 parentheses and nots`},
		{"a = '" + strings.Repeat("x", 5000) + "'", `the expression is longer than 4096 bytes`},
		{"a in (" + strings.Repeat("1,", 600) + "1)", `more than 500 values are compared`},
	} {
		_, err := where.Parse(c.expression)
		var at *where.Error
		if assert.ErrorAs(t, err, &at, c.expression) {
			assert.Contains(t, err.Error(), c.want, c.expression)
		}
	}
}

// The evaluation equals a row-by-row reading of the same random tree, printed
// and parsed again.
func TestEvalEqualsReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(0, 200).Draw(t, "rows")
		cell := rapid.SampledFrom([]string{"", "0", "1", "-1", "2.50", "1e2", "NaN", "inf", "x", "O'Hare", "é"})
		data := map[string]cells{}
		for _, name := range []string{"a", "b c", "not"} {
			data[name] = rapid.SliceOfN(cell, rows, rows).Draw(t, name)
		}
		text, holds := expression(t, data, 4)
		e, err := where.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := e.Eval(rows, func(name string) (where.Column, error) { return data[name], nil })
		if err != nil || len(got) != rows {
			t.Fatalf("%s: %d rows, %v", text, len(got), err)
		}
		for i := range got {
			if got[i] != holds(i) {
				t.Fatalf("%s: row %d is %v", text, i, got[i])
			}
		}
	})
}

func expression(t *rapid.T, data map[string]cells, depth int) (string, func(i int) bool) {
	choice := 3
	if depth > 0 {
		choice = rapid.IntRange(0, 5).Draw(t, "kind")
	}
	switch choice {
	case 0:
		a, f := expression(t, data, depth-1)
		b, g := expression(t, data, depth-1)
		return "(" + a + ") and (" + b + ")", func(i int) bool { return f(i) && g(i) }
	case 1:
		a, f := expression(t, data, depth-1)
		b, g := expression(t, data, depth-1)
		return "(" + a + ") or " + b, func(i int) bool { return f(i) || g(i) }
	case 2:
		a, f := expression(t, data, depth-1)
		return "not (" + a + ")", func(i int) bool { return !f(i) }
	}
	name := rapid.SampledFrom([]string{"a", "b c", "not"}).Draw(t, "column")
	column := data[name]
	if rapid.Bool().Draw(t, "number") {
		value := rapid.SampledFrom([]float64{0, 1, -1, 2.5, 100}).Draw(t, "value")
		op := rapid.SampledFrom([]string{"=", "==", "!=", "<", "<=", ">", ">="}).Draw(t, "op")
		return fmt.Sprintf("`%s` %s %v", name, op, value), func(i int) bool {
			x, err := strconv.ParseFloat(column[i], 64)
			if err != nil {
				x = math.NaN()
			}
			return map[string]bool{"=": x == value, "==": x == value, "!=": x != value, "<": x < value, "<=": x <= value, ">": x > value, ">=": x >= value}[op]
		}
	}
	values := rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "O'Hare", "é", "1"}), 1, 3).Draw(t, "values")
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	not := rapid.SampledFrom([]string{"", "not "}).Draw(t, "not")
	return fmt.Sprintf("`%s` %sin (%s)", name, not, strings.Join(quoted, ", ")), func(i int) bool {
		in := false
		for _, v := range values {
			in = in || column[i] == v
		}
		return in != (not != "")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"distance > 1500 and origin != 'LGA'", "a in (1, 'x') or not b <= -1e5", "`a b` not in (\"q\"\"q\")", "((a=1)", "a = 'é", "a <> 1", "not not not a = 1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := where.Parse(source)
		if err != nil {
			var at *where.Error
			require.ErrorAs(t, err, &at)
			require.GreaterOrEqual(t, at.Column, 1)
			require.LessOrEqual(t, at.Column, len(source)+1)
			return
		}
		require.NotEmpty(t, e.Columns())
		got, err := e.Eval(3, func(string) (where.Column, error) { return cells{"", "1", "x"}, nil })
		require.NoError(t, err)
		require.Len(t, got, 3)
	})
}

func BenchmarkEval(b *testing.B) {
	const rows = 1_000_000
	distance, origin := make(cells, rows), make(cells, rows)
	for i := range rows {
		distance[i] = strconv.Itoa(i * 7919 % 4983)
		origin[i] = []string{"JFK", "LGA", "EWR"}[i%3]
	}
	e, err := where.Parse("distance > 1500 and origin != 'LGA'")
	require.NoError(b, err)
	for b.Loop() {
		_, err := e.Eval(rows, func(name string) (where.Column, error) {
			if name == "origin" {
				return origin, nil
			}
			return distance, nil
		})
		require.NoError(b, err)
	}
}
