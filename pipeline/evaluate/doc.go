// Package evaluate asks a served model for its answers to the rows of a table.
//
// # Design
//
// Rows turns columns into the model's inputs, Predict sends them in batches,
// a few at a time, and turns the answers into a predictions.Set. Neither knows
// what is behind the URL, and candidate and production model go the same way.
// Batches write to disjoint parts of arrays that were made beforehand, so the
// result does not depend on which comes back first.
//
// # From columns to inputs
//
// A sealed model says which columns each of its inputs reads, in their order
// (Record): it is asked by these, whatever a table's order is and whatever else
// it has. What follows is how they are found when a model is sealed, and for
// models that say nothing.
//
// Where the model has several inputs, or one whose name is a column, each
// input of one value a row takes the column of its name. Where it has one
// input with several values a row, [N,F], these are data.features in their
// order, or all columns in the header's order but label, id, group, weight and
// time; the training table must have them in the same order (CheckOrder). No
// input may be the label. Exporters write an underscore where their names may
// not have what a column's has, a space or a bracket: such a column is taken
// where it is the only one that is meant.
//
// Cells become the input's type once, before anything is sent, by package table
// (docs/data.md): 70.0 is the integer 70, True is 1 to a number. A missing value is
// NaN for FP32 and FP64, the empty text for BYTES, and an error for integers and
// BOOL.
//
// # From outputs to predictions
//
// Outputs are found by the roles in the signature. A server that tells no
// roles is read by shape: floats with several values a row are probabilities,
// with one value a value, other types a label; probabilities without names
// belong to the table's classes in sorted order, as scikit-learn has them. A
// value in a binary task is the probability of the positive class.
//
// Class names of table, model and data.positive are compared by
// predictions.OneSpelling: 1, 1.0 and True are one class, yes is 1 where the
// positive class says so, and what has two readings is refused with both.
//
// Check looks at both tables before anything is trained.
//
// A prediction is the model's label where it gives one; else the class of the
// largest probability, and of two equal ones the first; in a binary task
// without label the positive class from 0.5 on.
//
// What a model cannot be judged by is an error: NaN, an infinity, a number
// that is no probability, another number of rows, a class that it does not
// have. Probabilities may leave [0,1] by 1e-6, which single precision does,
// and are brought back.
package evaluate
