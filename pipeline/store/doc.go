// Package store keeps what runs leave behind, as plain files in the project's
// .dosirak folder:
//
//	.gitignore           "*": nothing in here is ever committed
//	store.json           the format of the folder
//	lock                 shared by every process that writes, exclusive for gc
//	cleanup.lock         held while leftovers of dead processes are removed
//	runs/<id>/           run.json, steps/<name>.json, refs.json, lock, and what the steps wrote
//	blobs/<aa>/<sha256>  content by digest
//	cache/<kind>/<key>.json  small values that name blobs: trained replicates, proofs
//	env/<digest>/        what a setup command built; valid only with .complete in it
//	tmp/<owner>/         work of one process; tmp/<owner>.lock is held while it lives
//	fetched.json         what data.fetch left, by digest (package fetch)
//	slots/<n>/           working copies of replicates, at paths that stay the same
//
// # Rules
//
// Whatever has its final name is whole: a file is written under tmp, synced,
// renamed, and then the folder that holds it is synced. A run's folder
// appears by one rename. What a dead process left is recognised by its locks,
// never by process ids or by age, since flock(2) locks vanish with the process
// that holds them ("the lock is released ... when all such file descriptors
// have been closed", https://man7.org/linux/man-pages/man2/flock.2.html).
// The next process that writes removes it and marks the run as interrupted.
//
// Two runs may go on at once. Only gc wants to be alone, since a blob that was
// just written is not yet named by anything: it asks for the exclusive lock
// and, when a run is going on, says so instead of waiting.
//
// The clock is the caller's (Options.Now). A failpoint stands before and after
// every write, rename and removal; the tests kill a process at each.
package store
