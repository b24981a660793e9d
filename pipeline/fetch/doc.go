// Package fetch brings data that are not in Git: data.fetch names a command, and
// dosirak.lock the digests of what it brought.
//
// # Rule
//
// Before data is read, each file is held against dosirak.lock. Where all are as
// the lock names them, nothing is run. Where one is not there, or is a Git LFS
// pointer, or is what an older lock named, the command runs, by sh -c in the
// project's folder, and then every file must be what the lock names: a source
// that changed under a commit is an error that names the file. `dosirak fetch
// --update` accepts what the source has today. Without a lock the first fetch
// writes it; it is committed like any lock file, so that a commit names its data
// and a run anywhere judges the same rows.
//
// A file that was changed by hand since it was fetched is not written over: that
// is an error too. What the last fetch left is remembered in .dosirak.
//
// # Format
//
// JSON, one entry a file, sorted by path: schema, path (relative to the project,
// with slashes), sha256 of the content, size in bytes. Reading is strict: unknown
// fields, other schemas, text after the end, paths that lead out of the project
// or stand twice and digests that are none are errors.
//
// # Limits
//
// The command runs with the environment of dosirak and reaches whatever it can
// reach: on a pull request from a fork it is the change's own, and gets no
// secrets there.
package fetch
