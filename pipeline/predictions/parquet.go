package predictions

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// WriteParquet writes s as Parquet with the columns of Write.
func WriteParquet(w io.Writer, s *Set) error {
	cols := parquetColumns(s)
	group := parquet.Group{}
	for _, c := range cols {
		group[c.name] = c.node
	}
	schema := parquet.NewSchema("predictions", group)
	out := parquet.NewWriter(w, schema, parquet.Compression(&parquet.Snappy))
	at := make([]int, len(cols))
	for i, c := range cols {
		leaf, ok := schema.Lookup(c.name)
		if !ok {
			return fmt.Errorf("writing predictions: column %q is not in its schema", c.name)
		}
		at[i] = leaf.ColumnIndex
	}
	const batch = 256
	rows := make([]parquet.Row, 0, batch)
	for i := range s.N {
		row := make(parquet.Row, len(cols))
		for k, c := range cols {
			row[at[k]] = c.value(i).Level(0, 0, at[k])
		}
		rows = append(rows, row)
		if len(rows) == batch || i == s.N-1 {
			if _, err := out.WriteRows(rows); err != nil {
				return fmt.Errorf("writing predictions: %w", err)
			}
			rows = rows[:0]
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("writing predictions: %w", err)
	}
	return nil
}

type parquetColumn struct {
	name  string
	node  parquet.Node
	value func(i int) parquet.Value
}

func parquetColumns(s *Set) []parquetColumn {
	text := func(name string, of func(i int) string) parquetColumn {
		return parquetColumn{name, parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
			func(i int) parquet.Value { return parquet.ByteArrayValue([]byte(of(i))) }}
	}
	number := func(name string, of []float64) parquetColumn {
		return parquetColumn{name, parquet.Leaf(parquet.DoubleType), func(i int) parquet.Value { return parquet.DoubleValue(of[i]) }}
	}
	id := parquetColumn{"id", parquet.String(), func(i int) parquet.Value {
		if s.ID == nil {
			return parquet.ByteArrayValue(strconv.AppendInt(nil, int64(i), 10))
		}
		return parquet.ByteArrayValue([]byte(s.ID[i]))
	}}
	cols := []parquetColumn{id}
	if s.Target != nil {
		cols = append(cols, number("label", s.Target), number("prediction", s.Value))
	} else {
		cols = append(cols, text("label", func(i int) string { return s.Classes[s.Label[i]] }))
		if s.Pred != nil {
			cols = append(cols, text("prediction", func(i int) string { return s.Classes[s.Pred[i]] }))
		}
	}
	if s.Score != nil {
		cols = append(cols, number("score", s.Score))
	}
	for k, p := range s.Proba {
		cols = append(cols, number("p_"+s.Classes[k], p))
	}
	if s.Weight != nil {
		cols = append(cols, number("weight", s.Weight))
	}
	if s.Group != nil {
		cols = append(cols, text("group", func(i int) string { return s.Groups[s.Group[i]] }))
	}
	for _, c := range s.Columns {
		cols = append(cols, text(c.Name, func(i int) string { return c.Levels[c.Code[i]] }))
	}
	return cols
}

// isParquet tells by the name.
func isParquet(path string) bool { return strings.HasSuffix(path, ".parquet") }
