package doctor

import (
	"slices"
	"strconv"
	"strings"
)

func list(names []string) string { return strings.Join(names, ", ") }

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// quotedList names things whose names are outside text.
func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(n)
	}
	return strings.Join(quoted, ", ")
}
