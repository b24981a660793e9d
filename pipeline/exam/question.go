package exam

import (
	"fmt"
	"slices"
	"strconv"
)

// Roles are the columns that mean something to the exam itself: label, id,
// group, weight and time, as far as they are set.
func (d Data) Roles() []string {
	var names []string
	for _, name := range []string{d.Label, d.ID, d.Group, d.Weight, d.Time} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Differing returns those of the named columns of d whose values another
// table does not hold, sorted. Where it is empty the other table asks of these
// columns what d asked: it may have more columns, and other values in columns
// that nobody reads. A name that d itself does not have is passed over: what
// came later was never part of d's question.
//
// Files without digests by column are the same only as a whole.
func (d Data) Differing(other Data, names []string) []string {
	if d.Eval == other.Eval {
		return nil
	}
	var differ []string
	for _, name := range names {
		values, had := d.Columns[name]
		if d.Columns == nil || other.Columns == nil || had && other.Columns[name] != values {
			differ = append(differ, name)
		}
	}
	slices.Sort(differ)
	return slices.Compact(differ)
}

// maxColumnRows bounds the rows that name columns with other values one by one.
const maxColumnRows = 8

// columnRows says how the columns of two exams differ, as rows of Changes: one
// for the names, one for each column that holds other values, or one for all
// where they are many. An exam without digests by column says nothing here;
// the row of data.eval does.
func columnRows(old, new Data, was, is map[string]string) {
	if old.Columns == nil || new.Columns == nil {
		return
	}
	var gone, came, altered []string
	common := 0
	for name, values := range old.Columns {
		now, kept := new.Columns[name]
		switch {
		case !kept:
			gone = append(gone, name)
		case now != values:
			altered = append(altered, name)
			common++
		default:
			common++
		}
	}
	for name := range new.Columns {
		if _, had := old.Columns[name]; !had {
			came = append(came, name)
		}
	}
	slices.Sort(altered)
	for _, name := range gone {
		was["data.columns."+plain(name)], is["data.columns."+plain(name)] = "present", ""
	}
	for _, name := range came {
		was["data.columns."+plain(name)], is["data.columns."+plain(name)] = "", "present"
	}
	if len(altered) > maxColumnRows {
		was["data.columns"] = "values of " + strconv.Itoa(common) + " columns"
		is["data.columns"] = fmt.Sprintf("%d of them hold other values", len(altered))
		return
	}
	for _, name := range altered {
		was["data.columns."+plain(name)], is["data.columns."+plain(name)] = old.Columns[name], new.Columns[name]
	}
}
