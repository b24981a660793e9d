package exam

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/where"
)

// Columns are the columns that the slices read, sorted.
func (e Exam) Columns() ([]string, error) {
	columns := []string{}
	for _, s := range e.Slices {
		if s.Column != "" {
			columns = append(columns, s.Column)
		}
		if s.Where == "" {
			continue
		}
		condition, err := where.Parse(s.Where)
		if err != nil {
			return nil, fmt.Errorf("slice %q: %w", s.Name, err)
		}
		columns = append(columns, condition.Columns()...)
	}
	slices.Sort(columns)
	return slices.Compact(columns), nil
}
