// Package git reads and writes a local repository through the git binary.
//
// It never touches the work tree, the index or the current branch: commits
// are built from blobs and trees with a temporary index, and a ref moves only
// from the value that was read before (compare and swap), so that somebody
// else's commit is never lost.
//
// Every call runs with a fixed environment: no pager, no prompt, no optional
// locks, and messages in English, since a few of them are matched.
package git
