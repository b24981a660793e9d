// Package table reads the files that hold tables: CSV, TSV and Parquet. Both
// datasets and predictions are read by it, so that a value has one reading.
//
// # Design
//
// Read opens a file, looks at what it is, and hands its rows to a Sink: a text
// format record by record, Parquet column by column, as each is stored. The
// sink keeps what it needs; nothing here grows with the number of rows but a
// few bytes for each line break inside a cell.
//
// Reading is strict: a file is read as it is written or refused with file,
// line and column. A row that a lenient reader would pad, skip or cut is a row
// on which a model would silently be judged wrongly.
//
// # Text
//
// RFC 4180 with a header: cells quoted by ", a quote inside a quoted cell
// doubled, quoted cells may hold separators and line breaks. Lines end with LF
// or CRLF (a CRLF inside a quoted cell stays as it is); a UTF-8 byte order mark
// is skipped; the text is UTF-8 without NUL. Spaces belong to the cell. Blank
// lines and lines of spaces are passed over, as pandas does, but not in a table of one
// column, where one may be an empty cell. Names of columns are not repeated. A column
// without a name is left to whoever reads: pandas and R write one for the index.
//
// The separator is the comma, semicolon, tab or bar by which the header and
// the rows after it have the same number of cells, more than one; if two do,
// the file has two readings and is refused until Options.Separator names one.
//
// # Parquet
//
// Logical types count (Parquet format, LogicalTypes.md): DECIMAL is scaled
// exactly, unsigned integers are unsigned, a FLOAT16 is its number, DATE, TIME
// and TIMESTAMP (INT96 too) are written as pandas writes them, a UUID in its
// canonical form. A BOOLEAN is True or False, as pandas writes it to CSV.
// Lists, maps and structs are no columns; they refuse nothing unless they are
// asked for.
//
// # Numbers, missing values
//
// See Number, Integer, Bool and Missing; docs/data.md says it for users.
package table
