// Package project opens a project: its folder, its config and its Git
// repository, and what its environments run today.
//
// Git says what is deployed: the manifest on the base branch counts, not the
// one that a change brings along. A Tree is the project's folder as somebody
// vouches for it: a commit of the base branch, a commit as the forge has it, or
// the work tree where there is no Git. Deployed is a manifest with the tree
// that it was read from, where its bundle and its evidence are found and held
// against the manifest's digests.
package project
