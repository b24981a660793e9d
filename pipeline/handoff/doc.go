// Package handoff carries a training from one machine to another: a folder
// with training.json and the files that it names.
//
// Whoever reads one takes it for hostile: it may come from a fork. Names,
// sizes, numbers and digests are checked, links are refused, and models are
// data that the engine reads, never code that runs. Write makes such a folder,
// Gather joins those of several machines, Take copies one into a run.
package handoff
