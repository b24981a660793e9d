// Package where is the language of slices: which rows of a table belong to a
// subset.
//
//	distance > 1500 and origin != 'LGA'
//	carrier in ('AA', 'UA') and not (hour < 6 or hour >= 22)
//	`dep time` <= 600
//
// # The language
//
//	expression = term { "or" term }
//	term       = factor { "and" factor }
//	factor     = "not" factor | "(" expression ")" | condition
//	condition  = column compare literal | column ["not"] "in" "(" literal { "," literal } ")"
//	compare    = "=" | "==" | "!=" | "<" | "<=" | ">" | ">="
//	literal    = number | 'text' | "text"
//	column     = letter or "_", then letters, digits, "_" and "." | `any name`
//
// Keywords may be written in any case; a column of such a name is written in
// backquotes. A quote inside a text is doubled: 'O”Hare'. There are no calls,
// no arithmetic and no comparison of two columns: an expression is part of the
// exam and comes from a file that a fork may write, so it can do nothing but
// choose rows, in time linear in the rows.
//
// # What a comparison means
//
// The literal decides. Beside a number the cell is read as a number; beside a
// text it is compared byte by byte, so that "9" > '10' and ISO dates order as
// one expects.
//
// Logic has two values. A cell that is no number (text, empty, NaN) is equal
// to no number and makes <, <=, > and >= false; != is always the opposite of
// =, and "not in" of "in", so they are true for such a cell. To leave out
// empty cells say so: delay != 0 and delay != ”. An empty cell is the text ”
// for comparisons with a text.
//
// # Design
//
// Parse makes a small tree, bounded in length, depth and number of conditions.
// Eval runs it column by column: each condition fills one bit vector, and the
// connectives combine vectors 64 rows at a time. The package is a leaf:
// standard library only.
package where
