package dataset

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// GroupLike is a column that looks like the id of a customer, a session, a
// machine: rows that share a level are likely not independent, and an interval
// that counts them as independent is too narrow.
type GroupLike struct {
	Column string `json:"column"`
	// Because is "name" or "values".
	Because string `json:"because"`
	Levels  int    `json:"levels"` // among the evaluation rows
	// Shared is the number of these levels that the training table has too; -1
	// where it has no such column.
	Shared int `json:"shared"`
}

// A group repeats (on average at least repeats rows a level) and has many
// levels: with fewer, a column is a category and better a slice.
const (
	manyLevels = 20
	repeats    = 1.2
	sampleRows = 1000
)

func groupLike(ctx context.Context, train, eval *Table, o LeakageOptions) []GroupLike {
	var found []GroupLike
	for j, name := range eval.header {
		if name == "" || slices.Contains([]string{o.Label, o.ID, o.Weight, o.Time}, name) {
			continue
		}
		column := Column{eval, j}
		because := ""
		switch {
		case idName(name):
			because = "name"
		case idValues(column):
			because = "values"
		default:
			continue
		}
		filled := 0
		for i := range column.Len() {
			if !column.Missing(i) {
				filled++
			}
		}
		empty := func(i int) bool { return column.Missing(i) }
		a, b, err := pair(train, eval, name)
		if err != nil {
			_, b, _ = pair(eval, eval, name)
		}
		levels := newRowIndex(ctx, b, eval.Rows(), empty).levels
		if levels < manyLevels || float64(filled) < repeats*float64(levels) {
			continue
		}
		g := GroupLike{Column: name, Because: because, Levels: levels, Shared: -1}
		if err == nil {
			overlap, _, _ := shared(ctx, a, train, b, eval, table.Missing)
			g.Shared = overlap.Levels
		}
		found = append(found, g)
	}
	return found
}

// entities are what data are usually grouped by.
var entities = []string{
	"account", "client", "customer", "device", "driver", "employee", "household", "machine", "member", "participant",
	"patient", "person", "sensor", "session", "speaker", "student", "subject", "user", "vehicle", "visitor",
}

// idName reports whether a column's name says that it is an id: a last word
// such as id or uuid (customer_id, userId, patientid), or an entity alone or
// with a word for its number (customer, account_no).
func idName(name string) bool {
	words := nameWords(name)
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	before := ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch last {
	case "id", "ids", "uuid", "guid":
		return true
	case "no", "nr", "number", "key", "code", "hash":
		return slices.Contains(entities, before)
	}
	return slices.Contains(entities, last) || slices.Contains(entities, strings.TrimSuffix(last, "id"))
}

// nameWords splits snake_case, kebab-case and camelCase into lower-case words.
func nameWords(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	lower := false
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			lower = false
			continue
		}
		if unicode.IsUpper(r) && lower {
			flush()
		}
		lower = unicode.IsLower(r)
		word = append(word, r)
	}
	flush()
	return words
}

var (
	uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	// code is a word of letters and digits, perhaps with separators: N14228,
	// cust-00123. Something with a point or a blank is a measurement or a text.
	code = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_:#/-]{3,63}$`)
)

// idValues reports whether nearly all of the first cells look like ids: a
// UUID, or letters and digits mixed, and neither number nor time.
func idValues(c Column) bool {
	looked, like := 0, 0
	for i := 0; i < c.Len() && looked < sampleRows; i++ {
		cell := c.At(i)
		if table.Missing(cell) {
			continue
		}
		looked++
		if uuid.MatchString(cell) || isCode(cell) {
			like++
		}
	}
	return looked > 0 && float64(like) >= math.Ceil(0.95*float64(looked))
}

func isCode(cell string) bool {
	if !code.MatchString(cell) || !strings.ContainsAny(cell, "0123456789") || strings.Trim(cell, "0123456789-/:_#") == "" {
		return false
	}
	_, err := new(clock).read(cell)
	return err != nil // neither a number (1e5) nor a time
}
