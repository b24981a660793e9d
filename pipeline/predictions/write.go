package predictions

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// Write writes s as CSV. The same set gives the same bytes: columns in the
// documented order, numbers as the shortest text that reads back as the same
// float64, lines ended by \n. Rows without ids get their number, from 0.
func Write(w io.Writer, s *Set) error {
	out := bufio.NewWriterSize(w, 1<<16)
	header := []string{"id", "label"}
	if s.Pred != nil || s.Value != nil {
		header = append(header, "prediction")
	}
	if s.Score != nil {
		header = append(header, "score")
	}
	if s.Proba != nil {
		for _, class := range s.Classes {
			header = append(header, "p_"+class)
		}
	}
	if s.Weight != nil {
		header = append(header, "weight")
	}
	if s.Group != nil {
		header = append(header, "group")
	}
	for _, c := range s.Columns {
		header = append(header, c.Name)
	}
	var line []byte
	for i, name := range header {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendText(line, name)
	}
	line = append(line, '\n')
	classes := escaped(s.Classes)
	groups := escaped(s.Groups)
	levels := make([][]string, len(s.Columns))
	for i, c := range s.Columns {
		levels[i] = escaped(c.Levels)
	}
	for i := range s.N {
		if s.ID != nil {
			line = appendText(line, s.ID[i])
		} else {
			line = strconv.AppendInt(line, int64(i), 10)
		}
		line = append(line, ',')
		if s.Task == exam.Regression {
			line = appendNumber(line, s.Target[i])
			line = append(line, ',')
			line = appendNumber(line, s.Value[i])
		} else {
			line = append(line, classes[s.Label[i]]...)
			if s.Pred != nil {
				line = append(append(line, ','), classes[s.Pred[i]]...)
			}
		}
		if s.Score != nil {
			line = appendNumber(append(line, ','), s.Score[i])
		}
		for _, p := range s.Proba {
			line = appendNumber(append(line, ','), p[i])
		}
		if s.Weight != nil {
			line = appendNumber(append(line, ','), s.Weight[i])
		}
		if s.Group != nil {
			line = append(append(line, ','), groups[s.Group[i]]...)
		}
		for c := range s.Columns {
			line = append(append(line, ','), levels[c][s.Columns[c].Code[i]]...)
		}
		line = append(line, '\n')
		if len(line) > 1<<15 {
			if _, err := out.Write(line); err != nil {
				return fmt.Errorf("writing predictions: %w", err)
			}
			line = line[:0]
		}
	}
	if _, err := out.Write(line); err != nil {
		return fmt.Errorf("writing predictions: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing predictions: %w", err)
	}
	return nil
}

// WriteFile writes s to path: Parquet when it ends in .parquet, else CSV,
// packed when it ends in .gz (the same bytes on any day: the gzip header holds
// no time and no name).
func WriteFile(path string, s *Set) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing predictions: %w", err)
	}
	defer func() {
		if e := f.Close(); e != nil && err == nil {
			err = fmt.Errorf("writing predictions: %w", e)
		}
	}()
	if isParquet(path) {
		return WriteParquet(f, s)
	}
	if !strings.HasSuffix(path, ".gz") {
		return Write(f, s)
	}
	z := gzip.NewWriter(f)
	if err := Write(z, s); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("writing predictions: %w", err)
	}
	return nil
}

func escaped(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = string(appendText(nil, name))
	}
	return out
}

// appendText appends a field, quoted where RFC 4180 asks for it.
func appendText(line []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") && s != "" {
		return append(line, s...)
	}
	if s == "" {
		return line
	}
	line = append(line, '"')
	for i := range len(s) {
		if s[i] == '"' {
			line = append(line, '"')
		}
		line = append(line, s[i])
	}
	return append(line, '"')
}

// appendNumber appends the shortest text that reads back as v. Exponents are
// left to very large and small numbers, which keeps the parser's fast path.
func appendNumber(line []byte, v float64) []byte {
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(line, v, format, -1, 64)
}
