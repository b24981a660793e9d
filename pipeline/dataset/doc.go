// Package dataset holds the training and evaluation tables and looks for what
// leaks from one into the other.
//
// # Design
//
// A Table is one string with all cells and one offset a cell: a million rows
// of thirteen columns are two big allocations, not thirteen million small
// ones, and At is a slice of the string. The cells lie row by row as they came
// from text, column by column as they came from Parquet. They stay text; whoever
// needs a number asks for it (Column.Float), so that nothing is guessed about
// types. Package table reads the files and says what a number, a truth value and
// a missing value are; docs/data.md says it for users.
//
// A column without a name, which pandas and R write for the index, is left out
// of Columns and found by pandas' name for it, "Unnamed: 0".
//
// # Leaks
//
// Leakage compares rows, ids and groups by what their cells say and not by how
// it is written: 1 is 1.0 and True, every spelling of "missing" is one, numbers
// with a fraction are equal where they are as float32. Shared ids and groups are
// leaks; equal rows are where there are more than chance gives (beyondChance).
//
// # Times
//
// A column of times holds in both tables either numbers (seconds, years, any
// count) or timestamps: RFC 3339, or the same with a space for the T, without
// zone (then UTC), without seconds, or a date alone (its first instant). What
// cannot be read is an error: an order that is half known is not checked.
package dataset
