// Package dataset reads the training and evaluation tables and looks for what
// leaks from one into the other.
//
// # Design
//
// A Table is one string with all cells and one offset a cell: a million rows
// of thirteen columns are two big allocations, not thirteen million small
// ones, and At is a slice of the string. Cells stay text; whoever needs a
// number asks for it (Column.Float), so that nothing is guessed about types.
//
// Reading is strict: a file is read as it is written or refused with file and
// line. A row that a lenient reader would pad, skip or cut is a row on which a
// model would silently be judged wrongly.
//
// A format is one file with one function that fills a builder, named in the
// table of formats in read.go; compression, limits and the digest lie around
// it.
//
// # CSV
//
// RFC 4180 with a header: commas, cells quoted by ", a quote inside a quoted
// cell doubled, quoted cells may hold commas and line breaks. Lines end with
// LF or CRLF (a CRLF inside a quoted cell stays as it is); a UTF-8 byte order
// mark is skipped; the text is UTF-8 without NUL. Spaces belong to the cell.
// Blank lines are allowed at the end only. The header's names are not empty
// and not repeated.
//
// # Numbers
//
// A number is a decimal number as Go's strconv.ParseFloat reads it, spaces
// around it set aside, or an infinity ("inf", "-Infinity"); neither
// hexadecimal nor with underscores. Missing values are the empty cell, NA,
// NaN, nan, null and None: the spellings that pandas writes or reads as
// missing (pandas.read_csv, na_values) and that appear in practice.
//
// # Times
//
// A column of times holds in both tables either numbers (seconds, years, any
// count) or timestamps: RFC 3339, or the same with a space for the T, without
// zone (then UTC), without seconds, or a date alone (its first instant). What
// cannot be read is an error: an order that is half known is not checked.
package dataset
