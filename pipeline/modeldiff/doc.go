// Package modeldiff says in what a candidate differs from production: what went
// into the two trainings, and which rows the two models answer differently.
//
// Both halves are pure. Changes compares two provenance statements and lists
// differences only: code, parameters, data, libraries, hardware, seeds.
// FlipsOf compares two sets of predictions row by row.
//
// Nothing here decides anything. A verdict says whether a change may ship;
// this room helps a person to see what the change was. So what is missing (a
// production without a statement, as an adopted model has none) leaves a list
// shorter and is never an error.
//
// Production's statement and the parameters in it come from the repository and
// may say anything. Every list is bounded, the last row says how many more
// there are, and every text is cut; the report escapes them for its targets.
package modeldiff
