package fault

// What is wrong with the tables and the files of predictions.

var (
	DataAbsent = declare("E0201", Data, "A table is not there",
		"No file has the name that the config or the command line gives, a folder or a broken link has it, or this user may not read it. Data that DVC, Git LFS or git-annex keep elsewhere are there by a pointer only.",
		"Bring the file there (`dvc pull`, `git lfs pull`), or correct data.train, data.eval or the path on the command line.")
	NoTable = declare("E0202", Data, "A file is no table",
		"The name ends as that of a table and the content is something else: a pointer of Git LFS or DVC, a page to sign in, an error in XML or JSON, an archive, a workbook, a pickle. The message says what it is.",
		"Do what the message says: fetch the data, unpack the file, or write it as CSV or Parquet.")
	TableMalformed = declare("E0203", Data, "A table cannot be read",
		"A row has another number of cells than the header, a quote is not closed, two columns have one name, the text is not UTF-8, the file is cut short, or it is larger than what is read. The message names file, line and column.",
		"Correct the line, or write the table again; docs/data.md says what is read.")
	TwoReadings = declare("E0204", Data, "The data can be read in two ways",
		"The cells may be separated by two characters, or two names may be one class or two. Nothing is guessed where it would change a result; the message names both readings.",
		"Name the separator in data.separator, or write each class with one name in the tables and the model.")
	ColumnAbsent = declare("E0205", Data, "A column is not there",
		"The config, a slice, the model or the format of predictions names a column that the table does not have, or one that is a list or a struct. The message lists the columns that there are.",
		"Correct the name, or write the column into the table.")
	BadCell = declare("E0206", Data, "A cell is not what its column must hold",
		"A number, a probability, a weight, a time or a value of the model's type is expected, and the cell is something else or missing. The message names file, line and column, and what the cell looks like.",
		"Correct the cell, or leave the column out with data.features; docs/data.md says how values are read.")
	BadLabels = declare("E0207", Data, "The labels do not fit",
		"A label is missing, is a third class of a binary task, is none of the classes of the model or of the training table, or no row has the class that data.positive names.",
		"Label both tables with the names that the model was trained with, and write one of them in data.positive.")
	BadIDs = declare("E0208", Data, "The ids do not tell the rows apart",
		"An id stands twice in the column that data.id names, or is missing. 17 and 17.0 are one id.",
		"Name a column whose values are all different in data.id, or leave it out: then rows are numbered.")
	NoRows = declare("E0209", Data, "A table has no rows",
		"The file has a header and nothing below it.",
		"Write the rows into the table, or name another.")
	OtherRows = declare("E0210", Data, "Two files of predictions hold other rows",
		"An id is in one file only, or the two files give a row another label, weight, group or slice. Models are compared on the same rows.",
		"Let both models answer the same table, and write its ids, labels, weights, groups and slices into both files.")
)
